// Contact with the robot: events that come, buttons that go. Closes while nobody sees the page.

const SILENCE = 3500; // ms
const PAUSE = 1500;
let source = null, timer = null, last = 0, lost = true, since = null;

// told: { state(message), contact(lost, since) }
export function connect(told) {
  const open = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
    if (document.hidden) return;
    source = new EventSource("/events");
    source.onmessage = (event) => {
      last = performance.now();
      since = new Date();
      if (lost) told.contact(lost = false, since);
      told.state(JSON.parse(event.data));
    };
    source.onerror = () => {
      clearTimeout(timer);
      timer = setTimeout(open, PAUSE);
      enter();
    };
  };
  document.addEventListener("visibilitychange", open);
  setInterval(() => {
    if (performance.now() - last < SILENCE) return;
    if (!lost) told.contact(lost = true, since);
    // A network that went away without a word leaves a source that waits for ever.
    if (source && performance.now() - last > 2 * SILENCE) { last = performance.now() - SILENCE; open(); }
  }, 500);
  open();
}

// A robot that does not know this browser any more asks for its token.
async function enter() {
  const answer = await fetch("/icon.svg", { cache: "no-store" }).catch(() => null);
  if (answer?.status === 401) location.reload();
}

// { ok, status, message }; status 0: no answer.
export async function post(path, patience = 2000) {
  const stop = new AbortController();
  const timeout = setTimeout(() => stop.abort(), patience);
  try {
    const options = { method: "POST", headers: { "X-Edge-AI": "1" }, cache: "no-store", signal: stop.signal, keepalive: true };
    const answer = await fetch(path, options);
    const said = await answer.json().catch(() => ({}));
    return { ok: answer.ok, status: answer.status, message: said.message ?? "" };
  } catch {
    return { ok: false, status: 0, message: "no answer" };
  } finally {
    clearTimeout(timeout);
  }
}

export const isLost = () => lost;
