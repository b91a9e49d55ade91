// Two sliders and everything that depends on them. Python has computed the values for each threshold; those for a prevalence are
// computed here, without a request to the server, so that they follow the slider at once.
const MEASURES = [
  ["sensitivity", "Sensitivity", "of those with {condition} are predicted {condition}"],
  ["specificity", "Specificity", "of those without are predicted not {condition}"],
  ["positive_ratio", "Likelihood ratio +", "a positive result is so many times as common with {condition} as without"],
  ["negative_ratio", "Likelihood ratio −", "a negative result is so many times as common with {condition} as without"],
  ["ppv", "Positive predictive value", "of those with a positive result have {condition}, at this prevalence"],
  ["npv", "Negative predictive value", "of those with a negative result do not have {condition}, at this prevalence"],
];
const isRatio = (measure) => measure.endsWith("_ratio");
const shown = (measure, number) => (isRatio(measure) ? ratio(number) : percent(number));
// Rows of the comparison after the measures.
const COUNTS = [
  ["missed", "Of 1,000: with {condition} and missed"],
  ["alarmed", "Of 1,000: without and alarmed"],
];
const WORTH = "Better than treating all or none, if one would treat from";
// A choice is sent to the server after the slider has rested for this many milliseconds.
const RESTED = 200;

export default function ({ data, parentElement, setStateValue }) {
  const view = (parentElement.clinical ??= new View(parentElement));
  view.send = (chosen) => setStateValue("chosen", chosen);
  // A rerun of the page sends the same view again, perhaps with a choice that is out of date.
  if (view.data?.name !== data.name) view.open(data);
  return () => clearTimeout(view.timer);
}

class View extends Panel {
  constructor(root) {
    super(root);
    this.threshold = this.find("#threshold");
    this.prevalence = this.find("#prevalence");
    this.percent = this.find("#percent");
    this.threshold.oninput = () => this.choose({ threshold: this.data.thresholds[Number(this.threshold.value)] });
    this.prevalence.oninput = () => this.choose({ prevalence: this.data.prevalences[Number(this.prevalence.value)] });
    this.percent.oninput = () => {
      const { valueAsNumber: value, validity } = this.percent;
      if (validity.valid && !Number.isNaN(value)) this.choose({ prevalence: value / 100 });
    };
    this.find("[data-save=csv]").onclick = () => this.saveTable();
    for (const [measure, title] of MEASURES) {
      const card = this.copy("card").firstElementChild;
      card.dataset.measure = measure;
      card.querySelector("dt").textContent = title;
      this.find(".cards").append(card);
    }
    for (const name of ["people", "nomogram", "decisions"]) {
      const figure = this.copy("figure").firstElementChild;
      figure.dataset.figure = name;
      for (const button of figure.querySelectorAll("button")) {
        button.onclick = () =>
          saveDrawing(this.root, figure.querySelector("svg"), `${name}-${this.data.name}`, button.dataset.save);
      }
      this.find(".figures").append(figure);
    }
  }

  // Called for another study, model or protocol.
  open(data) {
    clearTimeout(this.timer);
    this.data = data;
    this.chosen = { threshold: data.threshold, prevalence: data.prevalence, others: data.chosen };
    this.threshold.min = 0;
    this.threshold.max = data.thresholds.length - 1;
    this.prevalence.max = data.prevalences.length - 1;
    this.find(".measured").textContent = data.measured;
    for (const place of this.all("[data-condition]")) place.textContent = data.condition;
    this.buildTable();
    this.show();
  }

  choose(change) {
    Object.assign(this.chosen, change);
    this.show();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(this.chosen), RESTED);
  }

  // All numbers of the model at the current threshold and prevalence: [value, low, high] of each measure.
  numbers() {
    const { prevalence } = this.chosen;
    const row = this.data.thresholds.indexOf(this.chosen.threshold);
    const read = (name) => ["", "_low", "_high"].map((end) => this.data.at[name + end][row]);
    const after = (name) => read(name).map((value) => (value === null ? null : postTest(prevalence, value)));
    const [positive, negative] = [after("positive_ratio"), after("negative_ratio")];
    const [value, low, high] = negative.map((probability) => (probability === null ? null : 1 - probability));
    return {
      sensitivity: read("sensitivity"),
      specificity: read("specificity"),
      positive_ratio: read("positive_ratio"),
      negative_ratio: read("negative_ratio"),
      ppv: positive,
      npv: [value, high, low],
      corrected: this.data.corrected[row],
      label: this.data.labels[row],
      after: { positive, negative },
    };
  }

  // Another test, from its sensitivity and specificity, without intervals.
  other(key) {
    const [sensitivity, specificity] = this.chosen.others[key].map((value) => value / 100);
    const [missed, found] = [1 - sensitivity, sensitivity].map((share) => this.chosen.prevalence * share);
    const [alarmed, left] = [1 - specificity, specificity].map((share) => (1 - this.chosen.prevalence) * share);
    const numbers = {
      sensitivity,
      specificity,
      positive_ratio: sensitivity / (1 - specificity),
      negative_ratio: (1 - sensitivity) / specificity,
      ppv: found / (found + alarmed),
      npv: left / (left + missed),
    };
    return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, [value, null, null]]));
  }

  show() {
    const { threshold, prevalence } = this.chosen;
    const numbers = this.numbers();
    const { data } = this;
    this.threshold.value = data.thresholds.indexOf(threshold);
    this.threshold.setAttribute("aria-valuetext", numbers.label);
    this.find("output[for=threshold]").textContent = numbers.label;
    const distance = data.prevalences.map((other) => Math.abs(other - prevalence));
    this.prevalence.value = distance.indexOf(Math.min(...distance));
    this.prevalence.setAttribute("aria-valuetext", percent(prevalence));
    this.find("output[for=prevalence]").textContent = percent(prevalence);
    if (this.percent.valueAsNumber / 100 !== prevalence) this.percent.value = Number((100 * prevalence).toPrecision(6));
    this.showCards(numbers);
    const [sensitivity, specificity] = [numbers.sensitivity[0], numbers.specificity[0]];
    const tests = [{ key: "model", title: `${data.title}, at this threshold`, sensitivity, specificity }];
    for (const [key, { title }] of Object.entries(data.others)) {
      const [se, sp] = this.chosen.others[key];
      tests.push({ key, title, sensitivity: se / 100, specificity: sp / 100 });
    }
    const counts = people(prevalence, sensitivity, specificity);
    this.find(".summary").textContent = this.summary(numbers, counts);
    const lines = [...data.about, `Prevalence ${percent(prevalence)}, threshold ${numbers.label}`];
    const described = this.worth(prevalence, sensitivity, specificity);
    const [peopleAt, nomogramAt, decisionsAt] = ["people", "nomogram", "decisions"].map((name) =>
      this.find(`[data-figure=${name}]`),
    );
    drawPeople(peopleAt.querySelector("svg"), { counts, lines, condition: data.condition });
    drawNomogram(nomogramAt.querySelector("svg"), { prevalence, after: numbers.after, lines });
    const { curve, trained } = data;
    drawDecisions(decisionsAt.querySelector("svg"), { prevalence, tests, curve, trained, lines, described });
    peopleAt.querySelector("figcaption").textContent = "Each sign is one person, rounded to whole people.";
    nomogramAt.querySelector("figcaption").textContent =
      this.say(
        "A straight line from the prevalence through the likelihood ratio of a result ends at the probability of {condition} after it. Bars: 95% intervals.",
      );
    decisionsAt.querySelector("figcaption").textContent =
      `${described} Net benefit: people with ${data.condition} who are treated, less those treated needlessly, who weigh less the lower the probability from which one would treat.`;
    this.showTable(numbers, tests);
  }

  showCards(numbers) {
    for (const [measure, , meaning] of MEASURES) {
      const card = this.find(`.cards [data-measure=${measure}]`);
      const [value, low, high] = numbers[measure];
      const nobody = "nobody has such a result at this threshold";
      card.querySelector(".value").textContent = shown(measure, value);
      card.querySelector(".interval").textContent =
        value === null ? nobody : `95% interval ${shown(measure, low)} to ${shown(measure, high)}`;
      const people = { sensitivity: this.data.ill, specificity: this.data.healthy }[measure];
      card.querySelector(".meaning").textContent = this.say(
        people ? `${meaning}, measured on ${people} people` : meaning,
      );
    }
    this.find(".corrected").hidden = !numbers.corrected;
  }

  summary(numbers, { found, missed, alarmed, cleared }) {
    const { positive, negative } = numbers.after;
    const others = (alarmed + cleared).toLocaleString("en");
    const parts = [
      `Of 1,000 people tested, ${found + missed} have ${this.data.condition}: ${found} are found and ${missed} missed.` +
        ` Of the ${others} others, ${alarmed} are alarmed.`,
    ];
    if (positive[0] !== null) parts.push(`After a positive result ${percent(positive[0])} have ${this.data.condition}.`);
    if (negative[0] !== null) parts.push(`After a negative result ${percent(negative[0])} still have it.`);
    const unsure = (name) => numbers[name][1] !== null && numbers[name][1] <= 1 && numbers[name][2] >= 1;
    const results = [["positive_ratio", "a positive"], ["negative_ratio", "a negative"]].filter(([name]) => unsure(name));
    if (results.length) {
      parts.push(
        `The interval of the likelihood ratio of ${results.map(([, words]) => words).join(" and of ")} result includes 1:` +
          " such a result may mean nothing.",
      );
    }
    return parts.join(" ");
  }

  worth(prevalence, sensitivity, specificity) {
    const begin = "Acting on the model at this threshold is better than treating everybody and than treating nobody for";
    const [low, high] = worthwhile(prevalence, sensitivity, specificity)?.map(percent) ?? [];
    if (low === high) return `${begin} ${low ? "hardly anyone" : "no one"}.`;
    return `${begin} those who would treat from a probability between ${low} and ${high}.`;
  }

  buildTable() {
    const { others, title } = this.data;
    const table = this.find(".comparison table");
    table.replaceChildren();
    const add = (row, kind, words, scope) => {
      const cell = row.appendChild(document.createElement(kind));
      cell.textContent = words;
      if (scope) cell.scope = scope;
      return cell;
    };
    const head = table.createTHead().insertRow();
    add(head, "td", "");
    for (const words of [title, ...Object.values(others).map((other) => other.title)]) add(head, "th", words, "col");
    const body = table.createTBody();
    const names = [...MEASURES.map(([measure, words]) => [measure, words]), ...COUNTS, ["worth", WORTH]];
    for (const [measure, words] of names) {
      const row = body.insertRow();
      row.dataset.row = measure;
      add(row, "th", this.say(words), "row");
      add(row, "td", "").dataset.test = "model";
      for (const [key, { title: test }] of Object.entries(others)) {
        const cell = add(row, "td", "");
        cell.dataset.test = key;
        const place = ["sensitivity", "specificity"].indexOf(measure);
        if (place >= 0) cell.append(this.input(key, place, `${words} of the ${test.toLowerCase()}, in percent`), " %");
      }
    }
    const sources = Object.values(others).map((other) => {
      const item = document.createElement("li");
      item.textContent = `${other.title}: unless changed, ${other.sensitivity}% and ${other.specificity}%. ${other.source}`;
      return item;
    });
    this.find(".sources").replaceChildren(...sources);
  }

  input(key, place, label) {
    const field = document.createElement("input");
    Object.assign(field, { type: "number", min: 0, max: 100, step: "any", value: this.chosen.others[key][place] });
    field.setAttribute("aria-label", label);
    field.oninput = () => {
      if (!field.validity.valid || Number.isNaN(field.valueAsNumber)) return;
      const pair = [...this.chosen.others[key]];
      pair[place] = field.valueAsNumber;
      this.choose({ others: { ...this.chosen.others, [key]: pair } });
    };
    return field;
  }

  showTable(numbers, tests) {
    const { prevalence } = this.chosen;
    for (const { key, sensitivity, specificity } of tests) {
      const write = (row, words) => (this.find(`[data-row=${row}] [data-test=${key}]`).textContent = words);
      const of = key === "model" ? numbers : this.other(key);
      for (const [measure] of MEASURES) {
        const [value, low, high] = of[measure];
        if (key !== "model" && ["sensitivity", "specificity"].includes(measure)) continue;
        const interval = low === null ? "" : ` (${shown(measure, low)} to ${shown(measure, high)})`;
        write(measure, `${shown(measure, value)}${interval}`);
      }
      const counts = people(prevalence, sensitivity, specificity);
      for (const [fate] of COUNTS) write(fate, counts[fate]);
      const [low, high] = worthwhile(prevalence, sensitivity, specificity)?.map(percent) ?? [];
      write("worth", low !== high ? `${low} to ${high}` : low ? "hardly ever" : "never");
    }
  }

  saveTable() {
    const { threshold, prevalence, others } = this.chosen;
    const written = (number) => (number === null ? "" : Number(number.toPrecision(8)));
    const lines = ["test,threshold,prevalence,measure,value,low,high"];
    for (const key of ["model", ...Object.keys(others)]) {
      const numbers = key === "model" ? this.numbers() : this.other(key);
      for (const [measure] of MEASURES) {
        const at = key === "model" ? threshold : "";
        lines.push([key, at, prevalence, measure, ...numbers[measure].map(written)].join(","));
      }
    }
    save(new Blob([`${lines.join("\n")}\n`], { type: "text/csv" }), `clinical-${this.data.name}.csv`);
  }
}
