// One function a section: from what the robot says to what stands on its card.

import { $, chip, make, show, terms, tiles } from "./dom.js";
import * as format from "./format.js";

const STEP = ["ready", "taken", "pinned", "vetoed", "refused", "waiting"];
const STEP_KIND = { taken: "warn", pinned: "warn", waiting: "warn", refused: "bad" };
const EFFECTS = ["fps", "processing", "age", "cpu", "memory", "temperature", "power"];
const STATES = {
  FOLLOWING: ["following", "good"], NO_TARGET: ["nobody to follow", "warn"], OBSTACLE: ["obstacle", "warn"],
  STALE: ["results too old", "warn"], MALFORMED: ["bad result", "bad"], EMERGENCY_STOP: ["emergency stop", "bad"],
};
const fastest = { linear: 0.05, angular: 0.05 }; // seen so far: an arrow of full length

export function identity({ name, board, version, mode }) {
  $("name").textContent = name || "edge_ai";
  $("about").textContent = [board, version && `edge_ai ${version}`, mode].filter(Boolean).join(" · ");
  document.title = name ? `${name} · edge_ai` : "edge_ai";
}

export function figures(readings, result) {
  const units = (text) => { const [, value, unit] = text.match(/^(\S+)(.*)$/); return [value, make("small", {}, unit.trim())]; };
  tiles($("figures"), [
    ["results", [format.number(readings.fps), make("small", {}, "/s")]],
    ["age", units(format.seconds(readings.age))],
    ["processing", units(format.seconds(readings.processing))],
    ["found", result ? String(result.count) : ""],
    ["answered by", result?.source ?? ""],
  ]);
}

export function result({ timings = {} }) {
  const stages = Object.entries(timings).filter(([, time]) => time > 0), whole = stages.reduce((sum, [, time]) => sum + time, 0);
  $("stages").replaceChildren(...stages.map(([stage, time]) => {
    const part = make("div", { class: stage === "wait" ? "wait" : "", title: `${stage}: ${format.seconds(time)}` }, time > whole / 7 ? `${stage} ${format.seconds(time)}` : "");
    part.style.flex = `${time * 1e6} 1 0`;
    return part;
  }));
}

export function control({ state, reason, linear = 0, angular = 0, age }) {
  const [said, kind] = STATES[state] ?? [format.words(state), "warn"];
  $("state").textContent = said;
  $("state").className = `pill ${kind}`;
  fastest.linear = Math.max(fastest.linear, Math.abs(linear));
  fastest.angular = Math.max(fastest.angular, Math.abs(angular));
  const ahead = linear / fastest.linear, across = -angular / fastest.angular, long = Math.max(1, Math.hypot(ahead, across));
  const still = !linear && !angular, end = (share) => ((share * 44) / long).toFixed(1);
  const tip = still ? "" : `<line class="arrow" x1="0" y1="0" x2="${end(across)}" y2="${end(-ahead)}"/>`;
  // Numbers only: nothing that a robot says in words gets here.
  $("dial").innerHTML = `<circle r="50"/><line x1="-50" x2="50"/><line y1="-50" y2="50"/>${tip}<circle class="still" r="${still ? 7 : 4}"/>`;
  const speeds = make("b", {}, `${signed(linear)} m/s`, make("br"), `${signed(angular)} rad/s`);
  $("command").replaceChildren(speeds, make("p", {}, reason ?? ""), make("p", {}, format.known(age) ? `${format.seconds(age)} after the capture` : ""));
}

export function deployment({ model, version, engine, variant, state, ...more }) {
  const rest = Object.entries(more).map(([name, value]) => [format.words(name), value == null ? "" : String(value)]);
  terms(find("deployment", "dl"), [["model", model], ["version", version], ["variant", variant], ["engine", engine], ["state", state], ...rest]);
}

// How an update of the model stands: what is examined, and what came of it; nothing while none was tried.
export function update({ state, candidate, checks = [], passed = [], progress, message, switches = 0, rollbacks = 0 }) {
  const under = state !== "idle" && make("li", {}, chip(state, state === "ready" ? "good" : "warn"), make("strong", {}, candidate), make("time", {}, format.percent(progress)));
  const examined = checks.map((check, i) => make("li", {}, chip(passed[i] ? "passed" : "failed", passed[i] ? "good" : "bad"), make("span", {}, check)));
  const said = [message, switches && `${switches} new models so far, ${rollbacks} taken back`].filter(Boolean);
  $("update").replaceChildren(...[under, ...examined, ...said.map((words) => make("li", { class: "none" }, words))].filter(Boolean));
}

export function alerts({ active = [], recent = [] }) {
  const items = [...active.map((one) => alert(one, false)), ...recent.slice(0, 6).map((one) => alert(one, true))];
  $("alarm").textContent = active.length === 1 ? active[0].name : `${active.length} alerts`;
  $("alarm").className = `pill ${active.some(isError) ? "bad" : "warn"}`;
  show($("alarm"), active.length > 0);
  find("alerts", ".list").replaceChildren(...(items.length ? items : [make("li", { class: "none" }, "none so far")]));
}

function alert({ name, level, message, since, until, mitigation }, over) {
  const mark = over ? chip("over") : chip(isError({ level }) ? "error" : "warning", isError({ level }) ? "bad" : "warn");
  const times = [since && format.clock(since), until && format.clock(until)].filter(Boolean).join(" – ");
  return make("li", { class: over ? "over" : "", title: over ? message : "" }, mark, make("strong", {}, name), make("time", {}, times),
    !over && message && make("p", {}, message), !over && mitigation && make("p", {}, `→ ${mitigation}`));
}

export function mitigation({ level = 0, message, steps = [] }) {
  find("mitigation", "h2").textContent = `Against overload: ${level || "none"} of ${steps.length} steps taken`;
  find("mitigation", ".list").replaceChildren(...steps.map((step) => {
    const state = typeof step.state === "number" ? STEP[step.state] : format.words(step.state);
    const since = step.since && state !== "ready" ? make("time", {}, format.clock(step.since)) : make("span");
    const effect = changes(step.before, step.after);
    return make("li", {}, chip(state, STEP_KIND[state]), make("strong", {}, format.words(step.name)), since,
      effect && make("p", { class: "effect" }, effect), step.detail && make("p", { class: "detail", title: step.detail }, step.detail));
  }), ...(message ? [make("li", { class: "none" }, message)] : []));
}

function changes(before, after) {
  const [then, now] = [before, after].map((one) => Array.isArray(one) ? Object.fromEntries(one.map((r) => [r.name, r.value])) : one ?? {});
  return EFFECTS.filter((name) => format.known(then[name]) && format.known(now[name])).slice(0, 3)
    .map((name) => `${name} ${format.figure(name, then[name])} → ${format.figure(name, now[name])}`).join(" · ");
}

export function routing(is) {
  terms(find("routing", "dl"), [
    ["policy", is.override && is.override !== "auto" ? `${is.policy}, operator says ${is.override}` : is.policy],
    ["server", [is.cloud || "none", " ", is.cloud && chip(is.breaker, is.breaker === "closed" ? "good" : "warn")].filter(Boolean)],
    ["its fault", is.cloud_fault],
    ["expected here / there", `${format.seconds(is.edge_latency)} / ${format.seconds(is.cloud_latency)}`],
    ["answers here / there", `${is.edge_answers ?? "–"} / ${is.cloud_answers ?? "–"}`],
    ["took over / failed", `${is.failovers ?? "–"} / ${is.failed ?? "–"}`],
  ]);
}

export function recorder(is) {
  terms(find("recorder", "dl"), [
    ["in memory", `${format.seconds(is.buffered)}, ${format.bytes(is.buffered_bytes)}`],
    ["on disk", is.files == null ? "" : `${is.files} files, ${format.bytes(is.disk_bytes)}`],
    ["lost messages", is.lost == null ? "" : String(is.lost)],
    [is.recording ? "writing" : "last", is.file ? String(is.file).split("/").at(-1) : ""],
    ["because", is.reason],
    ["fault", is.fault && chip(is.fault, "bad")],
  ]);
  $("record").textContent = is.recording ? "Recording …" : "Record now";
}

export function nodes(all) {
  const columns = [
    ["rate", "rate", format.rate], ["age p50", "age_p50", format.seconds], ["p99", "age_p99", format.seconds],
    ["processing p50", "processing_p50", format.seconds], ["p99", "processing_p99", format.seconds], ["dropped", "dropped", format.rate],
    ["failed", "failed", format.rate], ["waiting", "queue", (v) => format.number(v, 0)],
    ["CPU", "cpu", (v) => format.known(v) ? `${v.toFixed(2)} cores` : format.NONE], ["memory", "memory", format.bytes],
  ].filter(([, key]) => Object.values(all).some((one) => format.known(one[key])));
  const head = make("tr", {}, make("th", {}, "node"), ...columns.map(([title]) => make("th", {}, title)));
  const rows = Object.entries(all).map(([name, one]) => [name, { ...one, rate: one.rate ?? one.commands }]).map(([name, one]) => make("tr", {}, make("td", {}, name), ...columns.map(([, key, text]) => make("td", {}, text(one[key])))));
  find("nodes", "table").replaceChildren(head, ...rows);
}

export function machine({ readings = {}, texts = {}, faults = {} }) {
  const group = (title, all, ...before) => {
    const pairs = all.filter(([, value]) => value);
    const list = make("dl");
    terms(list, pairs);
    list.prepend(...before);
    return pairs.length || before.length ? make("div", {}, make("h2", {}, title), list) : null;
  };
  const under = (head, text) => Object.entries(readings).filter(([name]) => name.startsWith(`${head}/`)).map(([name, value]) => [name.slice(head.length + 1), text(value)]);
  const bars = make("div", { class: "cores", title: "load of each core" }, ...Object.entries(readings).filter(([name]) => /^cpu\/\d+$/.test(name)).map(([, load]) => {
    const bar = make("i");
    bar.style.height = `${Math.max(3, 100 * (load ?? 0))}%`;
    return bar;
  }));
  const used = (what) => format.known(readings[`${what}_used`]) ? `${format.bytes(readings[`${what}_used`])} of ${format.bytes(readings[`${what}_total`])}` : "";
  const faulty = Object.entries(faults).map(([source, why]) => make("span", { class: "fault" }, `${source}: ${why}`));
  find("machine", ".groups").replaceChildren(...[
    group("Processors", [...under("clock", format.hertz), ...under("engine", format.hertz)], ...(bars.childElementCount ? [bars] : [])),
    group("Memory and disk", [["memory", used("memory")], ["GPU memory", used("gpu_memory")], ["swap", format.known(readings.swap) ? format.percent(readings.swap) : ""], ["disk free", format.known(readings.disk_free) ? format.bytes(readings.disk_free) : ""]]),
    group("Temperatures", under("temperature", (v) => `${format.number(v)} °C`)),
    group("Power", [["mode", texts.power_mode], ...under("power", (v) => `${format.number(v, 2)} W`), ...under("fan", format.percent), ["clocks", readings.throttled ? "held down for heat or current" : ""]]),
    group("Network", under("network", (v) => `${format.bytes(v)}/s`)),
    group("The monitor itself", [["takes", format.known(readings["monitor/load"]) ? `${format.number(100 * readings["monitor/load"], 2)} % of a core` : ""]], ...faulty),
  ].filter(Boolean));
}

const isError = ({ level }) => level === "error" || level === 2;
const find = (id, selector) => $(id).querySelector(selector);
const signed = (value) => (format.known(value) ? (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2) : "–");
