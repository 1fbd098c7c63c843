import { h } from "./dom.js";
import { requestState } from "./words.js";

/** A request's state as a coloured label; the colour adds no information to the words. */
export function statePill(status, percentage) {
  const { word, tone } = requestState(status);
  return h("span", { class: `pill ${tone}` }, status === "processing" && Number.isFinite(percentage) ? `${word} · ${percentage} %` : word);
}
