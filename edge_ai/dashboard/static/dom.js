// Elements are built, never parsed: whatever a robot says is text.

export const $ = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== "" && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null && child !== "" && child !== false));
  return element;
}

// Pairs of a definition list; those without a value are left out.
export function terms(list, pairs) {
  list.replaceChildren(...pairs.filter(([, value]) => value != null && value !== "").flatMap(
    ([term, value]) => [make("dt", {}, term), make("dd", {}, ...[value].flat())]));
}

// The same as tiles: each term above its value.
export function tiles(list, pairs) {
  list.replaceChildren(...pairs.filter(([, value]) => value != null && value !== "").map(
    ([term, value]) => make("div", {}, make("dt", {}, term), make("dd", {}, ...[value].flat()))));
}

export function chip(text, kind = "") {
  return make("span", { class: `chip ${kind}` }, text);
}

export function show(element, shown = true) {
  element.hidden = !shown;
}
