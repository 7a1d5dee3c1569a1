// Numbers as people read them. Anything that is not known is "–".

export const NONE = "–";
export const known = (value) => typeof value === "number" && Number.isFinite(value);

export function number(value, digits = 1) {
  return known(value) ? value.toFixed(digits) : NONE;
}

export function rate(value) {
  return known(value) ? `${value.toFixed(1)}/s` : NONE;
}

export function percent(value) {
  return known(value) ? `${Math.round(value * 100)} %` : NONE;
}

export function seconds(value) {
  if (!known(value)) return NONE;
  const size = Math.abs(value);
  if (size < 0.0095) return `${(value * 1e3).toFixed(1)} ms`;
  if (size < 1) return `${Math.round(value * 1e3)} ms`;
  if (size < 60) return `${value.toFixed(1)} s`;
  return size < 3600 ? `${Math.floor(value / 60)} min ${Math.round(value % 60)} s` : `${(value / 3600).toFixed(1)} h`;
}

export function bytes(value) {
  if (!known(value)) return NONE;
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < units.length - 1) { value /= 1000; unit += 1; }
  return `${value.toFixed(unit && value < 100 ? 1 : 0)} ${units[unit]}`;
}

export function hertz(value) {
  return known(value) ? (value >= 1e9 ? `${(value / 1e9).toFixed(2)} GHz` : `${Math.round(value / 1e6)} MHz`) : NONE;
}

// A moment, given in seconds since the epoch or as a Date.
export function clock(moment) {
  const date = moment instanceof Date ? moment : new Date(moment * 1e3);
  return date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
}

export function words(name) {
  return String(name).replaceAll("_", " ").toLowerCase();
}

// "1.2.3.0" of a reading's name: what stands behind the last p tells the percentile.
export function figure(name, value) {
  if (/(^|\/)(age|processing|wait|late)|_p\d+$|latency/.test(name)) return seconds(value);
  if (/^(cpu|gpu|memory|swap|disk)(\/\d+)?$|share$/.test(name)) return percent(value);
  if (/memory|bytes|disk_free/.test(name)) return bytes(value);
  if (/^temperature/.test(name)) return `${number(value)} °C`;
  if (/^power/.test(name)) return `${number(value)} W`;
  if (/^fps$|rate$/.test(name)) return rate(value);
  return known(value) ? String(Number(value.toPrecision(3))) : NONE;
}
