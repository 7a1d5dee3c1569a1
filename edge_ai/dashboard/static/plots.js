// The last minutes: small plots that share their time and the place pointed at.

import { $, make, show } from "./dom.js";
import * as format from "./format.js";

const KEEP = 300; // s
const GAP = 5; // s without a point that interrupt a line
const SHARES = ["edge_share", "cloud_share", "skip_share"];
const PLOTS = [
  { name: "fps", title: "results", text: format.rate, top: 5, target: true },
  { name: "age", title: "age of results", text: format.seconds, top: 0.1 },
  { name: "cpu", title: "CPU", text: format.percent, top: 1 },
  { name: "gpu", title: "GPU", text: format.percent, top: 1 },
  { name: "memory", title: "memory", text: format.percent, top: 1 },
  { name: "temperature", title: "temperature", text: (v) => `${format.number(v)} °C`, top: 60, floor: 20 },
  { name: "power", title: "power", text: (v) => `${format.number(v)} W`, top: 10 },
  { name: "shares", title: "who answers", stacked: true },
];
let points = [], target = null, pointed = null, colours = {};

export function prepare() {
  for (const plot of PLOTS) {
    plot.value = make("b", {}, "–");
    plot.canvas = make("canvas", { role: "img" });
    plot.figure = make("figure", { "data-plot": plot.name }, make("figcaption", {}, make("span", {}, plot.title), plot.value), plot.canvas);
    plot.figure.hidden = true;
    plot.canvas.addEventListener("pointermove", (event) => point(1 - event.offsetX / plot.canvas.clientWidth));
    plot.canvas.addEventListener("pointerleave", () => point(null));
  }
  $("plots").append(...PLOTS.map((plot) => plot.figure));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  new ResizeObserver(draw).observe($("plots"));
  recolour();
}

// history: { ago: [s], cpu: [...], ... }
export function begin(history) {
  const now = performance.now() / 1e3, { ago = [], ...columns } = history;
  points = ago.map((age, i) => ({ at: now - age, ...Object.fromEntries(Object.entries(columns).map(([k, v]) => [k, v[i]])) }));
  draw();
}

export function add(readings, routing) {
  const at = performance.now() / 1e3;
  if (points.length && at - points.at(-1).at < 0.7) return;
  const shares = Object.fromEntries(SHARES.map((name) => [name, routing?.[name] ?? null]));
  points.push({ at, ...readings, ...shares });
  while (points.length && at - points[0].at > KEEP) points.shift();
  target = readings.fps_share > 0 ? readings.fps / readings.fps_share : null;
  draw();
}

function point(share) {
  pointed = share;
  draw();
}

function recolour() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["accent", "tint", "line", "soft", "edge", "cloud", "skip", "ink"]) colours[name] = style.getPropertyValue(`--${name}`).trim();
  draw();
}

function draw() {
  const now = performance.now() / 1e3;
  const at = pointed == null ? null : now - pointed * KEEP;
  const near = at == null ? points.at(-1) : points.reduce((a, b) => (Math.abs(b.at - at) < Math.abs((a?.at ?? -1e9) - at) ? b : a), null);
  for (const plot of PLOTS) {
    const keys = plot.stacked ? SHARES : [plot.name];
    show(plot.figure, points.some((one) => keys.some((key) => format.known(one[key]))));
    if (plot.figure.hidden) continue;
    if (plot.stacked) legend(plot, near);
    else plot.value.textContent = (at != null && near ? `${format.seconds(now - near.at)} ago: ` : "") + plot.text(near?.[plot.name]);
    paint(plot, now, at == null ? null : near);
  }
}

function legend(plot, one) {
  const parts = SHARES.map((name) => [name.replace("_share", ""), one?.[name]]).filter(([, v]) => format.known(v));
  const texts = parts.map(([side, value]) => make("i", { class: side }, `${side} ${format.percent(value)}`));
  plot.value.replaceChildren(...texts);
}

function paint(plot, now, near) {
  const { canvas } = plot, width = canvas.clientWidth, height = canvas.clientHeight, scale = devicePixelRatio || 1;
  if (!width) return;
  if (canvas.width !== Math.round(width * scale)) [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  const x = (time) => width * (1 - (now - time) / KEEP);
  pen.lineWidth = 1;
  pen.strokeStyle = colours.line;
  for (const y of [0.5, Math.round(height / 2) + 0.5, height - 0.5]) line(pen, [[0, y], [width, y]]);
  if (plot.stacked) stack(pen, x, height);
  else curve(plot, pen, x, width, height);
  if (near) { pen.strokeStyle = colours.ink; line(pen, [[x(near.at), 0], [x(near.at), height]]); }
}

function curve(plot, pen, x, width, height) {
  const values = points.map((one) => one[plot.name]).filter(format.known), floor = plot.floor ?? 0;
  const wanted = plot.target && target ? target : null;
  const top = plot.top === 1 ? 1 : round(Math.max(plot.top, 1.2 * (wanted ?? 0), ...values));
  const y = (value) => height - 1 - (height - 3) * Math.min(1, Math.max(0, (value - floor) / (top - floor)));
  for (const run of runs(plot.name)) {
    const path = run.map((one) => [x(one.at), y(one[plot.name])]);
    pen.fillStyle = colours.tint;
    fill(pen, [[path[0][0], height], ...path, [path.at(-1)[0], height]]);
    pen.strokeStyle = colours.accent;
    pen.lineWidth = 1.6;
    line(pen, path);
  }
  if (wanted) {
    pen.strokeStyle = colours.soft;
    pen.setLineDash([4, 4]);
    line(pen, [[0, y(wanted)], [width, y(wanted)]]);
    pen.setLineDash([]);
  }
  pen.fillStyle = colours.soft;
  pen.font = "10px system-ui, sans-serif";
  pen.fillText(plot.text(top).replace(".0", ""), 2, 11);
}

function stack(pen, x, height) {
  for (const run of runs(SHARES[0])) {
    let below = run.map(() => 0);
    for (const name of SHARES) {
      const above = run.map((one, i) => below[i] + (one[name] ?? 0));
      const y = (share) => height * (1 - Math.min(1, share));
      pen.fillStyle = colours[name.replace("_share", "")];
      fill(pen, [...run.map((one, i) => [x(one.at), y(above[i])]), ...run.map((one, i) => [x(one.at), y(below[i])]).reverse()]);
      below = above;
    }
  }
}

// Points that belong together: neither a gap in time nor an unknown value between them.
function runs(name) {
  const found = [];
  let before = null;
  for (const one of points) {
    if (format.known(one[name])) {
      if (before && one.at - before.at < GAP) found.at(-1).push(one);
      else found.push([one]);
      before = one;
    } else before = null;
  }
  return found;
}

function round(value) {
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * size).find((step) => step >= value * 0.999);
}

function line(pen, path) {
  pen.beginPath();
  path.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.stroke();
}

function fill(pen, path) {
  pen.beginPath();
  path.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.fill();
}
