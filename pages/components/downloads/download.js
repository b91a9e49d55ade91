// Buttons that save the Plotly chart above them as it is shown. Plotly makes the file in the browser: the code uses Plotly's own
// camera button, so zoom, hidden traces and the theme's colours are kept.
export default function ({ data, parentElement }) {
  for (const button of parentElement.querySelectorAll("button")) {
    button.setAttribute("aria-label", `Download "${data.title}" as ${button.dataset.format.toUpperCase()}`);
    button.onclick = () => save(data, button.dataset.format);
  }
}

function save({ key, name }, format) {
  // Streamlit names the element after the chart's key, with everything but these characters replaced.
  const element = document.querySelector(`.st-key-${key.trim().replace(/[^a-zA-Z0-9_-]/g, "-")}`);
  const chart = element?.querySelector(".js-plotly-plot");
  const camera = chart?._fullLayout?._modeBar?.buttons.flat().find((button) => button.name === "toImage");
  if (!camera) return; // The chart is still being drawn.
  chart._context.toImageButtonOptions = { format, filename: name, scale: format === "png" ? 2 : 1 };
  camera.click(chart);
}
