// The emergency stop: one touch, tried until the robot has confirmed it. Its release asks first.

import { $, show } from "./dom.js";
import { post } from "./link.js";

const AGAIN = 300; // ms
const FINAL = [401, 403, 404, 421]; // trying again changes nothing
let sending = false, stopped = false, able = true, tries = 0;

export function say(text) {
  $("said").textContent = text;
  show($("said"), Boolean(text));
}

export function prepare() {
  const button = $("stop");
  // At the touch, not when the finger leaves: it may have slipped by then.
  let touched = false;
  button.addEventListener("pointerdown", (event) => { if (event.button === 0) { touched = true; stop(); } });
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(() => { touched = false; }, 300));
  // Keys and helpers of those who cannot point give a click alone; the one that ends a touch has had its effect.
  button.addEventListener("click", () => { if (!touched) stop(); });
  $("reset").addEventListener("click", () => $("sure").showModal());
  $("sure").addEventListener("close", () => { if ($("sure").returnValue === "yes") release(); });
}

export function update(state, can) {
  if (can) able = can.stop;
  const now = state === "EMERGENCY_STOP";
  if (stopped && !now) say("");
  stopped = state == null ? stopped : now;
  if (can) $("reset").dataset.able = can.reset;
  draw();
}

async function stop() {
  if (sending || !able) return;
  sending = true;
  for (tries = 1; sending; tries += 1) {
    draw();
    const answer = await post("/stop");
    if (answer.ok) { sending = false; stopped = true; say(answer.message); }
    else if (FINAL.includes(answer.status)) { sending = false; say(`Not stopped: ${answer.message || answer.status}`); }
    else { say(`NOT stopped yet, trying again: ${answer.message}`); await new Promise((done) => setTimeout(done, AGAIN)); }
  }
  draw();
}

async function release() {
  const answer = await post("/reset", 5000);
  if (answer.ok) stopped = false;
  say(answer.ok ? answer.message : `Not released: ${answer.message || answer.status}`);
  draw();
}

function draw() {
  const button = $("stop");
  button.className = sending ? "sending" : stopped ? "done" : "";
  button.textContent = sending ? (tries > 1 ? `Stopping (${tries})` : "Stopping") : stopped ? "Stopped" : able ? "STOP" : "No stop here";
  button.disabled = !able;
  show($("reset"), stopped && !sending && $("reset").dataset.able === "true");
}
