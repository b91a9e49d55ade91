// Buttons that request a file from the server, and save it when it arrives.
export default function ({ data, parentElement, setTriggerValue }) {
  for (const button of parentElement.querySelectorAll("button")) {
    button.onclick = () => setTriggerValue("wanted", button.dataset.wanted);
  }
  // Streamlit sends the same data again whenever it draws the page.
  if (!data || data.when === parentElement.saved) return;
  parentElement.saved = data.when;
  const bytes = Uint8Array.from(atob(data.content), (letter) => letter.charCodeAt(0));
  save(new Blob([bytes], { type: data.type }), data.name);
}

