// Formats numbers, times and states.

const number = new Intl.NumberFormat("en");

export const count = (value) => number.format(value ?? 0);

export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

export function bytes(value) {
  if (value === null || value === undefined) return "–";
  const units = ["B", "KB", "MB", "GB", "TB"];
  let size = Math.abs(value);
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  const digits = unit === 0 || size >= 100 ? 0 : 1;
  return `${value < 0 ? "−" : ""}${size.toFixed(digits)} ${units[unit]}`;
}

/** The reduction in whole percent, or null if there is nothing to compare. */
export function saving(before, after) {
  return before > 0 && after !== null && after !== undefined ? Math.round((1 - after / before) * 100) : null;
}

export function duration(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export function ago(time, now = Date.now()) {
  const seconds = Math.round((Date.parse(time) - now) / 1000);
  if (Number.isNaN(seconds)) return "";
  for (const [unit, length] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  }
  return "just now";
}

export const moment = (time) => (time ? new Date(time).toLocaleString() : "");

/** Makes control characters in user input visible, and shortens long text in the middle. */
export function visible(text, limit = 200) {
  const shown = String(text ?? "").replace(/[\u0000-\u001f\u007f]/g, (c) => (c === "\u007f" ? "␡" : String.fromCharCode(0x2400 + c.charCodeAt(0))));
  const characters = [...shown];
  if (characters.length <= limit) return shown;
  const half = Math.floor(limit / 2);
  return `${characters.slice(0, half).join("")} … ${characters.slice(-half).join("")}`;
}

const requestStates = {
  created: { word: "Waiting to start", tone: "quiet" },
  processing: { word: "In progress", tone: "busy" },
  completed: { word: "Done", tone: "good" },
  completed_with_errors: { word: "Done, with failures", tone: "warn" },
  failed: { word: "Failed", tone: "bad" },
  cancelled: { word: "Cancelled", tone: "quiet" },
};

export const requestState = (status) => requestStates[status] ?? { word: visible(status), tone: "quiet" };

export const isFinal = (status) => !["created", "processing"].includes(status);

const imageStates = {
  waiting: { word: "Waiting", tone: "quiet" },
  offered: { word: "Waiting", tone: "quiet" },
  pending: { word: "Waiting", tone: "quiet" },
  running: { word: "Working", tone: "busy" },
  succeeded: { word: "Done", tone: "good" },
  failed: { word: "Failed", tone: "bad" },
  cancelled: { word: "Cancelled", tone: "quiet" },
};

export const imageState = (state) => imageStates[state] ?? { word: visible(state), tone: "quiet" };

/** The short name of a media type: "JPEG" for "image/jpeg". */
export function kind(type) {
  const name = String(type ?? "").replace(/^image\//, "").replace(/\+.*$/, "");
  return name === "" ? "" : name.toUpperCase().slice(0, 8);
}
