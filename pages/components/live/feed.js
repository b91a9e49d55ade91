// Passes each piece to the picture.
export default function ({ data }) {
  dispatchEvent(new CustomEvent("coughlab-live", { detail: data }));
}
