// Hands each piece over to the picture.
export default function ({ data }) {
  dispatchEvent(new CustomEvent("coughlab-live", { detail: data }));
}
