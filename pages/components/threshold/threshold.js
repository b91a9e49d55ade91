// The threshold slider with the matrices and the marks on the curves. Python has computed the numbers for every position: here
// they are only looked up and written, without a request to the server, so that they follow the slider at once.
const NAMES = { tp: "true positives", fn: "false negatives", fp: "false positives", tn: "true negatives" };
const MATRICES = {
  confusion: ["Confusion matrix", "Share of all rows."],
  precision: ["Precision matrix", "Each column adds up to 100%: of those predicted so, how many are so."],
  recall: ["Recall matrix", "Each row adds up to 100%: of those that are so, how many are predicted so."],
};
// Denominator of a cell's count.
const DIVISORS = {
  confusion: { tp: "in all", fn: "in all", fp: "in all", tn: "in all" },
  precision: { tp: "predicted {condition}", fn: "predicted not {condition}", fp: "predicted {condition}", tn: "predicted not {condition}" },
  recall: { tp: "with {condition}", fn: "with {condition}", fp: "without {condition}", tn: "without {condition}" },
};
// A threshold is sent to the server after the slider has rested for this many milliseconds.
const RESTED = 200;

export default function ({ data, parentElement, setStateValue }) {
  const view = (parentElement.threshold ??= new View(parentElement));
  view.send = (chosen) => setStateValue("chosen", chosen);
  // A rerun of the page sends the same view again, perhaps with a threshold that is out of date.
  if (view.data?.name === data.name) view.refresh(data);
  else view.open(data);
  return () => clearTimeout(view.timer);
}

class View extends Panel {
  constructor(root) {
    super(root);
    this.slider = this.find("input");
    this.select = this.find("select");
    this.build();
    this.slider.oninput = () => this.move(Number(this.slider.value));
    this.select.onchange = () => this.move(this.offered("kept"));
    for (const button of this.all("[data-offer]")) {
      button.onclick = () => this.move(this.offered(button.dataset.offer));
    }
    for (const button of this.all("[data-cell]")) {
      button.onclick = () => this.choose(button.dataset.cell);
    }
    this.find("[data-save=csv]").onclick = () => this.saveTable();
  }

  build() {
    for (const [matrix, [title, explained]] of Object.entries(MATRICES)) {
      const table = this.copy("matrix").firstElementChild;
      table.dataset.matrix = matrix;
      table.querySelector("strong").textContent = title;
      table.querySelector("caption span").textContent = explained;
      for (const button of table.querySelectorAll("button")) {
        button.append(this.copy("cell"));
        button.querySelector(".name").textContent = NAMES[button.dataset.cell];
      }
      this.find(".matrices .row").append(table);
    }
    for (const name of ["roc", "pr"]) {
      const figure = this.copy("curve").firstElementChild;
      figure.dataset.curve = name;
      for (const button of figure.querySelectorAll("button")) {
        button.onclick = () => this.saveCurve(figure.querySelector("svg"), name, button.dataset.save);
      }
      this.find(".curves").append(figure);
    }
  }

  // Called for another model, split or role.
  open(data) {
    this.refresh(data);
    for (const place of this.all("[data-condition]")) place.textContent = data.condition;
    clearTimeout(this.timer);
    this.threshold = data.threshold;
    this.cell = data.cell;
    this.slider.value = data.threshold;
    const kept = this.select.value;
    this.select.replaceChildren(...data.kept.map(({ sensitivity }) => new Option(`${100 * sensitivity}%`, sensitivity)));
    this.select.value = data.kept.some(({ sensitivity }) => String(sensitivity) === kept) ? kept : 0.9;
    this.draw("roc", "False positive rate (1 − specificity)", "Sensitivity");
    this.draw("pr", "Recall (sensitivity)", "Precision");
    this.show();
  }

  refresh(data) {
    this.data = data;
    this.position = new Map(data.thresholds.map((threshold, index) => [threshold, index]));
  }

  offered(offer) {
    if (offer !== "kept") return this.data[offer];
    return this.data.kept.find(({ sensitivity }) => String(sensitivity) === this.select.value).threshold;
  }

  move(threshold) {
    if (threshold === null) return;
    this.threshold = threshold;
    if (Number(this.slider.value) !== threshold) this.slider.value = threshold;
    this.show();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(), RESTED);
  }

  choose(cell) {
    this.cell = cell === this.cell ? null : cell;
    this.press();
    clearTimeout(this.timer);
    this.tell();
  }

  tell() {
    this.send({ threshold: this.threshold, cell: this.cell });
  }

  // The twelve cells at the current threshold, in the table's order.
  numbers() {
    const { matrix, cell, count, of, share, low, high, people } = this.data.cells;
    const first = this.position.get(this.threshold) * 12;
    return Array.from({ length: 12 }, (_, k) => ({
      matrix: matrix[k],
      cell: cell[k],
      count: count[first + k],
      of: of[first + k],
      share: share[first + k],
      low: low[first + k],
      high: high[first + k],
      people: people[first + k],
    }));
  }

  label(threshold) {
    return this.data.labels[this.position.get(threshold)];
  }

  show() {
    const numbers = this.numbers();
    const at = (matrix, cell) => numbers.find((number) => number.matrix === matrix && number.cell === cell);
    const label = this.label(this.threshold);
    this.find("output").textContent = label;
    this.slider.setAttribute("aria-valuetext", label);
    for (const number of numbers) this.fill(number);
    const [found, alarmed, right] = [at("recall", "tp"), at("recall", "fp"), at("precision", "tp")];
    this.find(".summary").textContent =
      `Predicted ${this.data.condition}: ${found.count} of ${found.of} rows with ${this.data.condition} and ${alarmed.count} of ${alarmed.of} without.` +
      ` ${this.data.measured}`;
    this.mark("roc", alarmed, found, `false positive rate ${shown(alarmed.share)}`, `sensitivity ${shown(found.share)}`);
    this.mark("pr", found, right, `recall ${shown(found.share)}`, `precision ${shown(right.share)}`);
    this.press();
  }

  fill({ matrix, cell, count, of, share, low, high, people }) {
    const button = this.find(`[data-matrix=${matrix}] [data-cell=${cell}]`);
    const interval = share === null ? "no rows here" : `${shown(low)} to ${shown(high)}`;
    button.querySelector(".count").textContent = count.toLocaleString("en");
    button.querySelector(".share").textContent = shown(share);
    button.querySelector(".interval").textContent = interval;
    button.style.setProperty("--share", share ?? 0);
    const details = share === null ? "" : `, ${shown(share)}, 95% interval ${interval}, ${people} people`;
    button.setAttribute("aria-label", `${NAMES[cell]}: ${count} of ${of} ${this.say(DIVISORS[matrix][cell])}${details}`);
  }

  press() {
    for (const button of this.all("[data-cell]")) {
      button.setAttribute("aria-pressed", button.dataset.cell === this.cell);
    }
    for (const button of this.all("[data-offer]")) {
      const threshold = this.offered(button.dataset.offer);
      button.disabled = threshold === null;
      button.querySelector("b").textContent = threshold === null ? "none" : this.label(threshold);
      button.setAttribute("aria-pressed", threshold === this.threshold);
    }
  }

  draw(name, xTitle, yTitle) {
    const svg = this.find(`[data-curve=${name}] svg`);
    const { lines, x, y, reference, note } = this.data.curves[name];
    const [from, to] = reference;
    svg.replaceChildren();
    svg.setAttribute("aria-label", lines.join(". "));
    lines.forEach((line, k) => text(svg, 0, 16 + 17 * k, line, k ? "about" : "title"));
    for (const tick of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
      path(svg, [[tick, 0], [tick, 1]], "grid");
      path(svg, [[0, tick], [1, tick]], "grid");
      text(svg, px(tick), py(0) + 17, tick, "tick", "middle");
      text(svg, px(0) - 7, py(tick) + 4, tick, "tick", "end");
    }
    text(svg, px(0.5), py(0) + 36, xTitle, "axis", "middle");
    text(svg, 0, 0, yTitle, "axis", "middle").setAttribute("transform", `translate(12 ${py(0.5)}) rotate(-90)`);
    if (!x.length) return;
    path(svg, [[0, from], [1, to]], "reference");
    path(svg, x.map((value, k) => [value, y[k]]), "curve");
    // A position away from the curve of a useful model: below it on the right, or on the left.
    const [x0, anchor] = name === "roc" ? [px(0.98), "end"] : [px(0.02), "start"];
    text(svg, x0, name === "roc" ? py(0.86) : py(to) - 7, note, "note", anchor);
    this.marks ??= {};
    this.marks[name] = {
      across: path(svg, [], "cross"),
      up: path(svg, [], "cross"),
      dot: element(svg, "circle", { class: "dot", r: 7 }),
      read: [0, 1, 2].map((k) => text(svg, x0, py(0.4) + 18 * k, "", "read", anchor)),
    };
  }

  // The current threshold on a curve.
  mark(name, { share: x }, { share: y }, xRead, yRead) {
    if (!this.data.curves[name].x.length) return;
    const { across, up, dot, read } = this.marks[name];
    const there = x !== null && y !== null;
    [yRead, xRead, `threshold ${this.label(this.threshold)}`].forEach((line, k) => (read[k].textContent = line));
    for (const shape of [across, up, dot]) shape.style.display = there ? "" : "none";
    if (!there) return;
    across.setAttribute("d", track([[0, y], [x, y]]));
    up.setAttribute("d", track([[x, 0], [x, y]]));
    dot.setAttribute("cx", px(x));
    dot.setAttribute("cy", py(y));
  }

  saveTable() {
    const columns = ["threshold", "matrix", "cell", "count", "of", "share", "low", "high", "people"];
    const rows = this.numbers().map((number) => [this.threshold, ...columns.slice(1).map((column) => number[column])]);
    const lines = [columns, ...rows].map((row) => `${row.join(",")}\n`);
    save(new Blob(lines, { type: "text/csv" }), `matrices-${this.data.name}.csv`);
  }

  saveCurve(svg, name, format) {
    return saveDrawing(this.root, svg, `${name}-${this.data.name}`, format);
  }
}

// The plot inside the drawing, in its units.
const px = (x) => 46 + 344 * x;
const py = (y) => 352 - 258 * y;

const track = (points) => points.map(([x, y], k) => `${k ? "L" : "M"}${px(x).toFixed(1)} ${py(y).toFixed(1)}`).join("");
const shown = (share) => (share === null ? "–" : PERCENT.format(share));

function path(svg, points, kind) {
  return element(svg, "path", { class: kind, d: track(points) });
}
