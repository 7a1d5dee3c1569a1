// Pictures, each asked for when the one before is shown: a slow viewer gets fewer, never older ones.

import { $, show } from "./dom.js";
import { clock } from "./format.js";

const OLD = 3000; // ms
let number = 0, shown = 0, able = false, running = false;

export function prepare() {
  document.addEventListener("visibilitychange", run);
  setInterval(judge, 500);
}

export function enable(can) {
  able = can;
  run();
}

async function run() {
  if (running) return;
  running = true;
  while (able && !document.hidden) {
    try {
      const answer = await fetch(`/frame.jpg?after=${number}`, { cache: "no-store" });
      if (answer.status === 200) {
        await draw(await answer.blob());
        number = Number(answer.headers.get("X-Frame-Number"));
      } else await pause(answer.status === 204 ? 50 : 1000);
    } catch { await pause(1000); }
  }
  running = false;
}

async function draw(blob) {
  const picture = $("picture"), before = picture.src;
  const url = URL.createObjectURL(blob);
  const next = new Image();
  next.src = url;
  try { await next.decode(); } catch { URL.revokeObjectURL(url); return; }
  picture.src = url;
  if (!shown) $("picture").parentElement.style.aspectRatio = `${next.naturalWidth} / ${next.naturalHeight}`;
  if (before) URL.revokeObjectURL(before);
  shown = Date.now();
  show(picture);
  judge();
}

function judge() {
  const old = Date.now() - shown > OLD;
  $("blind").textContent = shown ? `no picture since ${clock(shown / 1e3)}` : able ? "waiting for a picture" : "no pictures here";
  show($("blind"), old);
  $("picture").parentElement.classList.toggle("old", old);
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
