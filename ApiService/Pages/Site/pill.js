import { h } from "./dom.js";
import { requestState } from "./words.js";

/** A request's state in words, with a colour that only repeats them. */
export function statePill(status, percentage) {
  const { word, tone } = requestState(status);
  return h("span", { class: `pill ${tone}` }, status === "processing" && Number.isFinite(percentage) ? `${word} · ${percentage} %` : word);
}
