// The rolling picture of the sound and the list of coughs. Python sends the newest columns and coughs in overlapping pieces. Only
// new columns are drawn, onto two canvases that are ring buffers of the window.
const WINDOW_S = 10;
// Marks of a column.
const [BREAK, MISSING] = [1, 2];
// Decibels of the darkest and the brightest colour of the spectrogram.
const DARKEST = -95;
const BRIGHTEST = -25;
// Heights in CSS pixels: the numbers of the frames, the waveform, a gap, and the seconds below.
const TOP = 20;
const WAVE = 90;
const GAP = 6;
const BELOW = 20;
// Shortest time between two requests for all data, in milliseconds.
const PATIENCE = 1500;
// While the page listens, seconds without a piece after which it says that it does not.
const OVERDUE_S = 4;

export default function ({ data, parentElement, setTriggerValue }) {
  const view = (parentElement.live ??= new View(parentElement, data));
  view.trigger = setTriggerValue;
  view.take(data.now);
  view.play(data.play);
  const piece = ({ detail }) => view.take(detail);
  addEventListener("coughlab-live", piece);
  return () => removeEventListener("coughlab-live", piece);
}

class View {
  constructor(root, { size, column_s, ticks, listed }) {
    Object.assign(this, { root, size, column_s, ticks, listed });
    this.bands = size - 4;
    this.width = Math.round(WINDOW_S / column_s);
    this.canvas = this.find("canvas");
    new ResizeObserver(() => this.data && this.compose()).observe(this.canvas);
    this.audio = new Audio();
    const timer = setInterval(() => (root.isConnected ? this.overdue() : clearInterval(timer)), 1000);
  }

  // While it listens, a piece comes many times a second.
  overdue() {
    const seconds = Math.round((performance.now() - this.at) / 1000);
    if (this.data?.open && seconds > OVERDUE_S) {
      this.find(".status").textContent = `Not listening: nothing comes from the server since ${seconds} s`;
      this.find(".level").textContent = "";
    }
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  take(data) {
    // Streamlit sends the same data again whenever it draws the page.
    if (data.sent <= this.data?.sent) return;
    if (data.epoch !== this.epoch) this.begin(data.epoch);
    this.data = data;
    this.at = performance.now();
    this.columns(data);
    this.coughs(data);
    this.words(data);
    this.compose();
  }

  // A new or cleared listener.
  begin(epoch) {
    this.epoch = epoch;
    this.raw = new Uint8Array(this.width * this.size);
    this.next = 0;
    this.rows = new Map();
    this.find(".coughs").replaceChildren();
    this.wave = surface(this.width, 2 * WAVE);
    this.heat = surface(this.width, this.bands);
  }

  columns({ columns, first }) {
    const bytes = Uint8Array.from(atob(columns), (letter) => letter.charCodeAt(0));
    const end = first + bytes.length / this.size;
    const shown = Math.max(end - this.width, 0);
    if (first > Math.max(this.next, shown)) this.missed();
    for (let k = Math.max(this.next, first, shown); k < end; k++) {
      const column = bytes.subarray((k - first) * this.size, (k - first + 1) * this.size);
      this.raw.set(column, (k % this.width) * this.size);
      this.paint(k % this.width, column);
    }
    this.next = Math.max(this.next, end);
  }

  // Draw one column on the ring buffers.
  paint(x, column) {
    const [low, high, , mark] = column;
    const { ctx } = this.wave;
    const y = (byte) => WAVE - ((byte - 128) / 127) * (WAVE - 2);
    ctx.clearRect(x, 0, 1, 2 * WAVE);
    ctx.fillStyle = this.colour ??= style(this.root, "--st-primary-color");
    if (mark !== MISSING) ctx.fillRect(x, y(high), 1, Math.max(y(low) - y(high), 2));
    const image = this.heat.ctx.createImageData(1, this.bands);
    for (let band = 0; band < this.bands; band++) {
      const db = column[4 + band] / 2.55 - 100;
      const share = Math.min(Math.max((db - DARKEST) / (BRIGHTEST - DARKEST), 0), 1);
      image.data.set(HEAT[Math.round(255 * share)], 4 * (this.bands - 1 - band));
    }
    this.heat.ctx.putImageData(image, x, 0);
  }

  // Draw the ring buffers, the frames and the scales on the visible canvas.
  compose() {
    const { canvas, data } = this;
    const colour = style(this.root, "--st-primary-color");
    if (this.colour && colour !== this.colour) this.repaint(colour);
    const [width, height, scale] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio];
    if (!width) return;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
    }
    const ctx = canvas.getContext("2d");
    ctx.setTransform(scale, 0, 0, scale, 0, 0);
    ctx.clearRect(0, 0, width, height);
    const text = style(this.root, "--st-text-color");
    const ground = style(this.root, "--st-background-color");
    const heatTop = TOP + WAVE + GAP;
    const heatHeight = height - heatTop - BELOW;
    ctx.fillStyle = style(this.root, "--st-secondary-background-color");
    ctx.fillRect(0, TOP, width, WAVE);
    const end = this.next;
    if (!end) {
      ctx.fillRect(0, heatTop, width, heatHeight);
      ctx.font = `14px ${style(this.root, "--st-font") || "sans-serif"}`;
      ctx.textAlign = "center";
      ctx.fillStyle = text;
      ctx.fillText("The sound appears here.", width / 2, heatTop + heatHeight / 2);
      return;
    }
    ctx.fillStyle = `rgb(${HEAT[0].slice(0, 3)})`;
    ctx.fillRect(0, heatTop, width, heatHeight);
    const split = end % this.width;
    const px = width / this.width;
    ctx.imageSmoothingEnabled = true;
    for (const [ring, top, tall] of [
      [this.wave, TOP, WAVE],
      [this.heat, heatTop, heatHeight],
    ]) {
      // The older part of the ring first.
      const [older, high] = [this.width - split, ring.canvas.height];
      ctx.drawImage(ring.canvas, split, 0, older, high, 0, top, older * px, tall);
      if (split) ctx.drawImage(ring.canvas, 0, 0, split, high, older * px, top, split * px, tall);
    }
    const x = (column) => (column - end + this.width) * px;
    this.breaks(ctx, x, end, text, height);
    ctx.font = `12px ${style(this.root, "--st-font") || "sans-serif"}`;
    for (const [label, share] of this.ticks) halo(ctx, label, 4, heatTop + heatHeight * (1 - share) + 4);
    ctx.fillStyle = text;
    for (let s = 0; s <= WINDOW_S; s += width < 500 ? 5 : 2) {
      const label = s === WINDOW_S ? "now" : `${WINDOW_S - s} s ago`;
      ctx.textAlign = s === 0 ? "left" : s === WINDOW_S ? "right" : "center";
      ctx.fillText(label, (s / WINDOW_S) * width, height - 5);
    }
    for (const { cough } of this.rows.values()) {
      const [left, right] = [x(cough.start / this.column_s), x(cough.end / this.column_s)];
      if (right < 0) continue;
      this.frame(ctx, cough.number, left, right, height - BELOW, text, ground);
    }
    canvas.setAttribute("aria-label", `Waveform and spectrogram of the last 10 seconds. ${this.find(".status").textContent}. ${data.total} coughs so far.`);
    canvas.dataset.drawn = Number(canvas.dataset.drawn ?? 0) + 1;
  }

  frame(ctx, number, left, right, bottom, text, ground) {
    for (const [colour, wide] of [
      [ground, 4],
      [text, 2],
    ]) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = wide;
      ctx.strokeRect(left, TOP, right - left, bottom - TOP);
    }
    const wide = Math.max(ctx.measureText(number).width + 8, 18);
    const middle = (left + right) / 2;
    ctx.fillStyle = text;
    ctx.fillRect(middle - wide / 2, 0, wide, TOP);
    ctx.fillStyle = ground;
    ctx.textAlign = "center";
    ctx.fillText(number, middle, TOP - 6);
  }

  breaks(ctx, x, end, text, height) {
    ctx.strokeStyle = text;
    ctx.lineWidth = 1;
    ctx.setLineDash([3, 3]);
    for (let k = Math.max(end - this.width, 0); k < end; k++) {
      if (this.raw[(k % this.width) * this.size + 3] !== BREAK) continue;
      ctx.beginPath();
      ctx.moveTo(x(k), TOP);
      ctx.lineTo(x(k), height - BELOW);
      ctx.stroke();
    }
    ctx.setLineDash([]);
  }

  // Draw everything again, in other colours.
  repaint(colour) {
    this.colour = colour;
    const { size } = this;
    for (let k = Math.max(this.next - this.width, 0); k < this.next; k++) {
      const x = k % this.width;
      this.paint(x, this.raw.subarray(x * size, (x + 1) * size));
    }
  }

  coughs({ coughs, total, oldest_kept }) {
    const list = this.find(".coughs");
    for (const cough of coughs) {
      let row = this.rows.get(cough.number);
      if (!row) {
        row = { item: this.find("template").content.cloneNode(true).firstElementChild };
        row.item.dataset.shown = Date.now();
        row.item.querySelector("button").onclick = () => this.trigger("play", cough.number);
        const before = [...list.children].find((other) => Number(other.dataset.number) < cough.number);
        list.insertBefore(row.item, before ?? null);
        this.rows.set(cough.number, row);
        if (cough.number === total) this.find(".announced").textContent = `Cough ${cough.number}`;
      }
      if (row.cough && row.cough.answers.length === cough.answers.length) continue;
      row.cough = cough;
      fill(row.item, cough);
    }
    for (const number of [...this.rows.keys()].filter((number) => number <= total - this.listed)) {
      this.rows.get(number).item.remove();
      this.rows.delete(number);
    }
    for (const [number, { item }] of this.rows) {
      const button = item.querySelector("button");
      const gone = oldest_kept !== null && number < oldest_kept;
      button.disabled = gone;
      button.title = gone ? "The sound of older coughs is not kept" : "";
    }
    if (this.rows.size < Math.min(total, this.listed)) this.missed();
  }

  words(data) {
    const set = (selector, text) => {
      const element = this.find(selector);
      if (element.textContent !== String(text)) element.textContent = text;
      return element;
    };
    set(".status", data.status).classList.toggle("open", data.open);
    const meter = this.find(".meter");
    meter.firstElementChild.style.width = `${data.open ? Math.max(100 + data.level, 0) : 0}%`;
    meter.setAttribute("aria-valuenow", data.level);
    set(".level", data.open && data.loudness ? `${data.level.toFixed(0).replace("-", "−")} dBFS, ${data.loudness}` : "");
    set(".trouble", data.trouble.join(" ")).hidden = !data.trouble.length;
    set(".total", data.total);
    set(".minute", data.minute);
    set(".rate", data.rate === null ? "–" : data.rate.toFixed(1));
    set(".heard", data.heard);
    set(".empty", data.total ? "" : "None yet. Each appears here as soon as it is over, and can be played.");
    const listed = data.total > this.listed ? `The newest ${this.listed} of ${data.total} are listed; the CSV has more.` : "";
    const kept = data.oldest_kept > 1 ? ` The sound of those before number ${data.oldest_kept} is no longer kept.` : "";
    set(".more", listed + kept);
  }

  play(asked) {
    if (!asked || asked.when === this.played) return;
    this.played = asked.when;
    const row = this.rows.get(asked.number);
    if (!asked.wav || !row) return;
    this.audio.src = `data:audio/wav;base64,${asked.wav}`;
    this.audio.onplaying = () => (row.item.dataset.played = Number(row.item.dataset.played ?? 0) + 1);
    this.audio.play().catch(() => {});
  }

  missed() {
    const now = Date.now();
    if (now - (this.askedAt ?? 0) < PATIENCE) return;
    this.askedAt = now;
    // Not while the component is being drawn.
    setTimeout(() => this.trigger("missed", now));
  }
}

function fill(item, cough) {
  const at = new Date(cough.at);
  item.dataset.number = cough.number;
  item.dataset.start = cough.start;
  item.dataset.end = cough.end;
  item.dataset.ended = cough.at + 1000 * (cough.end - cough.start);
  item.querySelector(".number").textContent = cough.number;
  item.querySelector("button").setAttribute("aria-label", `Play cough ${cough.number}`);
  item.querySelector("time").textContent = at.toLocaleTimeString();
  item.querySelector("time").dateTime = at.toISOString();
  item.querySelector(".length").textContent = `${(cough.end - cough.start).toFixed(2)} s`;
  item.querySelector(".certain").textContent = `cough: ${cough.probability}`;
  item.querySelector(".answers").replaceChildren(
    ...cough.answers.map((answer) => Object.assign(document.createElement("li"), { textContent: answer })),
  );
}

function surface(width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  return { canvas, ctx: canvas.getContext("2d") };
}

function halo(ctx, text, x, y) {
  ctx.textAlign = "left";
  ctx.lineJoin = "round";
  ctx.lineWidth = 3;
  ctx.strokeStyle = "#000000";
  ctx.fillStyle = "#ffffff";
  ctx.strokeText(text, x, y);
  ctx.fillText(text, x, y);
}

const style = (root, name) => getComputedStyle(root.querySelector("section")).getPropertyValue(name).trim();

// Black to violet, orange and pale yellow, as matplotlib's "inferno": 9 of its colours, with interpolation.
const STOPS = [
  [0, 0, 4],
  [31, 12, 72],
  [85, 15, 109],
  [136, 34, 106],
  [186, 54, 85],
  [227, 89, 51],
  [249, 140, 10],
  [249, 201, 50],
  [252, 255, 164],
];
const HEAT = Array.from({ length: 256 }, (_, k) => {
  const place = (k / 255) * (STOPS.length - 1);
  const [below, share] = [Math.min(Math.floor(place), STOPS.length - 2), place % 1];
  const rest = place === STOPS.length - 1 ? 1 : share;
  return [0, 1, 2].map((c) => Math.round(STOPS[below][c] * (1 - rest) + STOPS[below + 1][c] * rest)).concat(255);
});
