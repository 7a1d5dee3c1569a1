// Puts together contact, cards, plots, video and the stop.

import * as cards from "./cards.js";
import { $, show } from "./dom.js";
import { clock, seconds } from "./format.js";
import { connect, isLost, post } from "./link.js";
import * as plots from "./plots.js";
import * as stop from "./stop.js";
import * as video from "./video.js";

const OLD = 5; // s, for sections that come every second
const now = () => performance.now() / 1e3;
const sections = {}, put = {};

function state({ history, can, sections: changed }) {
  if (history) plots.begin(history);
  if (can) {
    stop.update(null, can);
    video.enable(can.picture);
    show($("record"), can.record);
  }
  for (const [name, { age, value }] of Object.entries(changed)) {
    sections[name] = value;
    put[name] = now() - age;
    if ($(name)) show($(name));
    cards[name]?.(value);
  }
  if (changed.result && sections.deployment) answering(sections.result.model, sections.deployment);
  if (changed.control) stop.update(changed.control.state);
  if (changed.system) {
    show($("machine"));
    cards.machine(sections.system);
    plots.add(sections.system.readings, sections.routing);
  }
  if (changed.system || changed.result) cards.figures(sections.system?.readings ?? {}, sections.result);
}

// A lighter variant is told by the results, whoever put it in place.
function answering(model, deployment) {
  if (!deployment.variant && model && model !== deployment.model) cards.deployment({ ...deployment, variant: model });
}

function contact(lost, since) {
  document.body.classList.toggle("lost", lost);
  $("contact").textContent = lost ? `no contact since ${clock(since)}` : "live";
  $("contact").className = `pill ${lost ? "bad" : "good"}`;
}

function age() {
  if (isLost()) return;
  for (const card of document.querySelectorAll("[data-section]")) {
    const at = put[card.dataset.section], old = at != null && now() - at > OLD;
    card.classList.toggle("stale", old);
    if (old) card.dataset.old = `${seconds(now() - at)} old`;
  }
}

$("record").addEventListener("click", async () => {
  const answer = await post("/record", 5000);
  stop.say(answer.ok ? answer.message || "Recording." : `Not recorded: ${answer.message || answer.status}`);
  if (answer.ok) setTimeout(() => stop.say(""), 6000);
});

plots.prepare();
stop.prepare();
video.prepare();
connect({ state, contact });
setInterval(age, 1000);
