// Hands each piece over to the picture, once: Streamlit comes with each several times.
export default function ({ data, parentElement }) {
  if (parentElement.handed === data.sent) return;
  parentElement.handed = data.sent;
  dispatchEvent(new CustomEvent("coughlab-live", { detail: data }));
}
