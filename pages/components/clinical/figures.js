// The three figures: 1,000 people, Fagan's nomogram, the decision curve. Each is drawn again from the current numbers.
const WIDTH = 400;
const logit = (probability) => Math.log(probability / (1 - probability));
const within = (value, low, high) => Math.min(Math.max(value, low), high);

function heading(svg, height, title, lines, described) {
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
  svg.setAttribute("aria-label", [title, ...lines, described].join(". "));
  text(svg, 0, 16, title, "title");
  lines.forEach((words, k) => text(svg, 0, 34 + 17 * k, words));
}

// The drawing of one person, in a cell of 10 by 10.
const SIGNS = {
  found: (x, y) => `M${x + 1} ${y + 1}h8v8h-8z`,
  missed: (x, y) => `M${x + 1.5} ${y + 1.5}h7v7h-7zl7 7`,
  alarmed: (x, y) => `M${x + 5} ${y + 1}l4 8h-8z`,
  cleared: (x, y) => `M${x + 3.5} ${y + 3.5}h3v3h-3z`,
};
const FATES = {
  found: "have {condition} and are found",
  missed: "have {condition} and are missed",
  alarmed: "do not have {condition} and are alarmed",
  cleared: "do not have {condition} and are not alarmed",
};

function drawPeople(svg, { counts, lines, condition }) {
  const words = Object.entries(FATES).map(([fate, what]) => `${counts[fate].toLocaleString("en")} ${what.replace("{condition}", condition)}`);
  heading(svg, 432, "1,000 people who are tested", lines, `${words.join(", ")}.`);
  let number = 0;
  Object.entries(SIGNS).forEach(([fate, sign], k) => {
    let d = "";
    for (let one = 0; one < counts[fate]; one++, number++) d += sign((number % 40) * 10, 80 + Math.floor(number / 40) * 10);
    element(svg, "path", { class: fate, d });
    const y = 344 + 23 * k;
    element(svg, "path", { class: fate, d: sign(2, y), transform: `translate(${-2 - 0.4 * 2} ${-0.4 * y}) scale(1.4)` });
    text(svg, 24, y + 12, words[k], "read");
  });
}

const BEFORE = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 50, 70, 80, 90, 95, 98, 99, 99.5, 99.8, 99.9];
const RATIOS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000];
const END = logit(0.999);

function drawNomogram(svg, { prevalence, after, lines }) {
  const phrases = { positive: "After a positive result", negative: "After a negative result" };
  const words = Object.entries(phrases).map(([result, begin]) => {
    const [value, low, high] = after[result];
    return value === null ? `${begin}: nobody has one` : `${begin}: ${percent(value)} (${percent(low)} to ${percent(high)})`;
  });
  heading(svg, 530, "Fagan's nomogram", lines, `Before: ${percent(prevalence)}. ${words.join(". ")}.`);
  const [top, bottom] = [116, 470];
  // Half the log of a likelihood ratio is midway between the log odds before, which increase downwards, and those after.
  const y = (odds) => (top + bottom) / 2 - ((bottom - top) / 2) * (odds / END);
  const scales = [
    { x: 62, title: ["Before", "(prevalence)"], marks: BEFORE, at: (mark) => -logit(mark / 100), unit: "%", side: -1 },
    { x: 196, title: ["Likelihood", "ratio"], marks: RATIOS, at: (mark) => Math.log(mark) / 2, unit: "", side: -1 },
    { x: 330, title: ["After", "the result"], marks: BEFORE, at: (mark) => logit(mark / 100), unit: "%", side: 1 },
  ];
  const start = y(-within(logit(prevalence), -END, END));
  const points = [];
  Object.keys(phrases).forEach((result, k) => {
    const [value, low, high] = after[result];
    if (value !== null) {
      const end = (probability) => y(within(logit(probability), -END, END));
      line(svg, [[330 - 5 * (k + 1), end(low)], [330 - 5 * (k + 1), end(high)]], `interval ${result}`);
      line(svg, [[62, start], [330, end(value)]], `ray ${result}`);
      points.push([result, 196, (start + end(value)) / 2]);
    }
    line(svg, [[0, 492 + 20 * k], [34, 492 + 20 * k]], `ray ${result}`);
    points.push([result, 17, 492 + 20 * k]);
    text(svg, 42, 496.5 + 20 * k, words[k], "read");
  });
  // The scales must be legible where a line crosses them.
  for (const { x, title, marks, at, unit, side } of scales) {
    title.forEach((word, k) => text(svg, x, top - 22 + 14 * k, word, "tick", "middle"));
    line(svg, [[x, top], [x, bottom]], "axis");
    for (const mark of marks) {
      line(svg, [[x, y(at(mark))], [x + 5 * side, y(at(mark))]], "axis");
      text(svg, x + 8 * side, y(at(mark)) + 4, `${mark}${unit}`, "tick", side < 0 ? "end" : "start");
    }
  }
  for (const [result, x, at] of points) element(svg, "path", { class: `point ${result}`, d: MARKS[result](x, at) });
}

const MARKS = {
  positive: (x, y) => `M${x} ${y - 6}l6 11h-12z`,
  negative: (x, y) => `M${x} ${y + 6}l6 -11h-12z`,
};

const WOULD_TREAT = [0.1, 0.5, 1, 2, 5, 10, 20, 50, 80];

function drawDecisions(svg, { prevalence, tests, curve, trained, lines, described }) {
  heading(svg, 402 + 18 * (tests.length + (trained === null ? 2 : 3)), "Decision curve", lines, described);
  const [left, right, top, bottom] = [44, 390, 80, 342];
  const [from, to] = [logit(0.001), logit(0.9)];
  const most = 1080 * prevalence;
  const least = -0.25 * most;
  const x = (probability) => left + ((right - left) * (logit(probability) - from)) / (to - from);
  const y = (benefit) => bottom - ((bottom - top) * (benefit - least)) / (most - least);
  const ground = element(svg, "clipPath", { id: "plot" });
  element(ground, "rect", { x: left, y: top, width: right - left, height: bottom - top });
  for (const tick of WOULD_TREAT) {
    line(svg, [[x(tick / 100), top], [x(tick / 100), bottom]], "grid");
    text(svg, x(tick / 100), bottom + 17, `${tick}%`, "tick", "middle");
  }
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200].find((size) => most / size <= 6);
  for (let tick = Math.ceil(least / step); tick * step <= most; tick++) {
    line(svg, [[left, y(tick * step)], [right, y(tick * step)]], "grid");
    text(svg, left - 6, y(tick * step) + 4, Number((tick * step).toFixed(1)), "tick", "end");
  }
  text(svg, (left + right) / 2, bottom + 36, "Would treat from a probability of", "tick", "middle");
  const title = text(svg, 0, 0, "Net benefit, per 1,000 people", "tick", "middle");
  title.setAttribute("transform", `translate(11 ${(top + bottom) / 2}) rotate(-90)`);

  const steps = Array.from({ length: 181 }, (_, k) => 1 / (1 + Math.exp(-(from + ((to - from) * k) / 180))));
  const of = (sensitivity, specificity) =>
    steps.map((w) => [x(w), y(1000 * netBenefit(prevalence, sensitivity, specificity, w))]);
  // Every point of the model's own curve is a measured threshold.
  const own = curve.probability.map((probability, k) => {
    const w = priorShift(probability, trained, prevalence);
    return [x(w), y(1000 * netBenefit(prevalence, curve.sensitivity[k], curve.specificity[k], w))];
  });
  const drawn = [
    ["all", "Treat everybody", of(1, 0)],
    ["none", "Treat nobody", of(0, 1)],
    ...(trained === null ? [] : [["own", "Treat by the model's own probability", own]]),
    ...tests.map(({ key, title, sensitivity, specificity }) => [key, title, of(sensitivity, specificity)]),
  ];
  drawn.forEach(([kind, words, points], k) => {
    line(svg, points, `curve ${kind}`).setAttribute("clip-path", "url(#plot)");
    const at = bottom + 62 + 18 * k;
    line(svg, [[0, at - 4], [40, at - 4]], `curve ${kind}`);
    text(svg, 48, at, words, "note");
  });
}
