// SVG drawing, formatting of numbers, and download of a figure.
const SVG = "http://www.w3.org/2000/svg";
const STYLES = [
  "display", "fill", "stroke", "stroke-width", "stroke-opacity", "fill-opacity", "stroke-dasharray", "stroke-linecap",
  "stroke-linejoin", "paint-order", "font-family", "font-size", "font-weight",
];
// A half is rounded as Python rounds it on the other pages.
const PERCENT = new Intl.NumberFormat("en", {
  style: "percent",
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
  roundingMode: "halfEven",
});
const RATIO = new Intl.NumberFormat("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });

// Values that would wrongly round to 0 or 100 are written as in coughlab/text.py; exactly 0 and 1 are 0% and 100%.
function percent(share) {
  if (share === null || Number.isNaN(share)) return "–";
  if (share > 0 && share < 0.001) return "under 0.1%";
  return share < 1 && share > 0.999 ? "over 99.9%" : PERCENT.format(share);
}

function ratio(number) {
  if (number === null || Number.isNaN(number)) return "–";
  return number === Infinity ? "no limit" : RATIO.format(number);
}

function element(parent, name, attributes = {}) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return parent.appendChild(made);
}

function line(svg, points, kind) {
  const d = points.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  return element(svg, "path", { class: kind, d });
}

function text(svg, x, y, content, kind = "about", anchor = "start") {
  const made = element(svg, "text", { class: kind, x, y, "text-anchor": anchor });
  made.textContent = content;
  return made;
}

function save(blob, file) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function saveDrawing(root, svg, file, format) {
  const { width, height } = svg.viewBox.baseVal;
  const drawing = new Blob([standalone(root, svg, width, height)], { type: "image/svg+xml" });
  if (format === "svg") return save(drawing, `${file}.svg`);
  const image = new Image();
  image.src = URL.createObjectURL(drawing);
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2 * width, 2 * height];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  canvas.toBlob((blob) => save(blob, `${file}.png`), "image/png");
}

// The drawing with inline styles, on white.
function standalone(root, svg, width, height) {
  const paper = document.createElement("div");
  paper.className = "paper";
  const copy = svg.cloneNode(true);
  paper.append(copy);
  root.append(paper);
  for (const shape of [copy, ...copy.querySelectorAll("*")]) {
    const style = getComputedStyle(shape);
    for (const property of STYLES) shape.style.setProperty(property, style.getPropertyValue(property));
  }
  paper.remove();
  for (const [name, value] of Object.entries({ xmlns: SVG, width, height })) copy.setAttribute(name, value);
  const ground = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ width, height, fill: "#ffffff" })) ground.setAttribute(name, value);
  copy.prepend(ground);
  return new XMLSerializer().serializeToString(copy);
}
