// Buttons that ask the server for a file, and save it when it comes.
export default function ({ data, parentElement, setTriggerValue }) {
  for (const button of parentElement.querySelectorAll("button")) {
    button.onclick = () => setTriggerValue("wanted", button.dataset.wanted);
  }
  // Streamlit comes with the same again whenever it draws the page.
  if (!data || data.when === parentElement.saved) return;
  parentElement.saved = data.when;
  const bytes = Uint8Array.from(atob(data.content), (letter) => letter.charCodeAt(0));
  save(new Blob([bytes], { type: data.type }), data.name);
}

