// The images of a request in CSV order, updated as they finish. Cards are updated in place, so the layout does not jump.

import { get, requestPath } from "./api.js";
import { h, icon, safeUrl, setText } from "./dom.js";
import { bytes, count, imageState, isFinal, kind, saving, visible } from "./words.js";

const pageSize = 48;
// However many pages are open, only the first few unfinished ones are polled.
const livePages = 4;

const filters = [
  { state: "", word: "All", of: (request) => request.no_of_images },
  { state: "succeeded", word: "Done", of: (request) => request.images.succeeded },
  { state: "failed", word: "Failed", of: (request) => request.images.failed },
  { state: "pending", word: "Waiting", of: (request) => request.images.pending },
];

export function gallery(id) {
  const grid = h("ul", { class: "grid" });
  const empty = h("p", { class: "muted grid-empty", hidden: true });
  const more = h("button", { type: "button", class: "secondary more", hidden: true, onclick: loadMore }, "Show more images");
  const tabs = filters.map((filter) => h("button", { type: "button", class: "tab", "aria-pressed": "false", onclick: () => choose(filter.state) }, filter.word, h("span", { class: "tab-count" })));
  const title = h("h2", { id: "images-title", tabindex: "-1" }, "Images");
  const element = h("section", { class: "images", "aria-labelledby": "images-title" },
    h("div", { class: "images-head" }, title, h("div", { class: "tabs", role: "group", "aria-label": "Which images to show" }, tabs)),
    grid, empty, more);

  let state = "";
  let pages = [];
  let cards = new Map();
  let request = null;
  let loading = new AbortController();

  const pathOf = (cursor) => `${requestPath(id)}/images?limit=${pageSize}${state ? `&state=${state}` : ""}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`;

  async function load(cursor) {
    const { value } = await get(pathOf(cursor), { signal: loading.signal });
    // A finished image never changes within a run, so a page of finished images need not be loaded again.
    const settled = state === "" && value.next_cursor && value.items.every((image) => image.state === "succeeded" || image.state === "failed");
    return { cursor, items: value.items, next: value.next_cursor, run: request.run, settled };
  }

  /** Reloads the pages that may have changed. */
  async function refresh(latest) {
    request = latest;
    showTabs();
    if (pages.length === 0) pages = [await load(null)];
    else {
      const open = pages.filter((page) => !page.settled || page.run !== request.run);
      for (const page of isFinal(request.status) ? open : open.slice(0, livePages)) {
        const fresh = await load(page.cursor);
        pages = pages.map((old) => (old === page ? fresh : old));
      }
    }
    render();
  }

  async function loadMore() {
    const next = pages.at(-1)?.next;
    if (!next) return;
    more.disabled = true;
    try {
      const page = await load(next);
      const firstNew = page.items[0];
      pages.push(page);
      render();
      if (firstNew) cards.get(keyOf(firstNew))?.element.querySelector("a")?.focus();
      setText(more, "Show more images");
    } catch (error) {
      if (error.name !== "AbortError") setText(more, "Could not load more. Try again");
    } finally {
      more.disabled = false;
    }
  }

  async function choose(newState) {
    state = newState;
    loading.abort();
    loading = new AbortController();
    pages = [];
    cards = new Map();
    grid.replaceChildren();
    more.hidden = empty.hidden = true;
    if (!request) return;
    showTabs();
    try {
      await refresh(request);
    } catch (error) {
      if (error.name === "AbortError") return;
      empty.hidden = false;
      setText(empty, error.message);
    }
  }

  function showTabs() {
    filters.forEach((filter, index) => {
      const amount = filter.of(request);
      const tab = tabs[index];
      tab.setAttribute("aria-pressed", String(filter.state === state));
      setText(tab.querySelector(".tab-count"), count(amount));
      tab.hidden = filter.state !== "" && filter.state !== state && amount === 0;
    });
  }

  function render() {
    const items = pages.flatMap((page) => page.items);
    const kept = new Map();
    let before = grid.firstElementChild;
    for (const item of items) {
      const key = keyOf(item);
      if (kept.has(key)) continue;
      const known = cards.get(key) ?? newCard(item);
      known.show(item, isFinal(request.status));
      kept.set(key, known);
      if (known.element === before) before = before.nextElementSibling;
      else grid.insertBefore(known.element, before);
    }
    for (const [key, old] of cards) if (!kept.has(key)) old.element.remove();
    cards = kept;
    more.hidden = !pages.at(-1)?.next;
    empty.hidden = items.length > 0;
    setText(empty, isFinal(request.status) ? "No images here." : state === "" ? "Reading the CSV. Images will appear in a moment." : "None yet.");
  }

  return { element, refresh, choose, leave: () => loading.abort() };
}

const keyOf = (image) => `${image.row}-${image.position}`;

function newCard(image) {
  const frame = h("div", { class: "thumb" });
  const body = h("div", { class: "card-body" });
  const element = h("li", { class: "image" }, frame, body);
  let signature = "";

  function show(item, final) {
    const now = JSON.stringify([item.state, item.error, item.output, item.original, final]);
    if (now === signature) return;
    const finished = signature !== "" && item.state === "succeeded";
    signature = now;
    element.className = `image ${imageState(item.state).tone}${finished ? " landed" : ""}`;
    frame.replaceChildren(picture(item), ...badge(item));
    body.replaceChildren(...words(item));
  }

  show(image, false);
  return { element, show };
}

function picture(item) {
  const url = item.output ? safeUrl(item.output.url) : null;
  if (!url) return h("span", { class: "thumb-empty" }, icon(item.state === "failed" ? "alert" : "image"));
  const name = visible(item.product_name, 80);
  const image = h("img", { src: url, alt: `${name}, image ${item.position}`, loading: "lazy", decoding: "async", referrerpolicy: "no-referrer", width: item.output.width, height: item.output.height });
  const link = h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, image);
  // Browsers cannot show every format, TIFF for example.
  image.addEventListener("error", () => link.replaceChildren(h("span", { class: "thumb-empty" }, icon("image"), h("span", {}, kind(item.output.type)), h("span", { class: "visually-hidden" }, ` of ${name}`))));
  return link;
}

function words(item) {
  const source = safeUrl(item.url);
  const { word } = imageState(item.state);
  return [
    h("p", { class: "image-name" }, h("bdi", {}, visible(item.product_name, 80))),
    item.state === "succeeded" && item.output ? sizes(item) : h("p", { class: `image-state ${item.state === "failed" ? "bad" : ""}` }, item.state === "failed" ? visible(item.error?.message || item.error?.code || word, 240) : word),
    item.output?.width ? h("p", { class: "image-facts muted" }, `${item.output.width} × ${item.output.height} ${kind(item.output.type)}`) : null,
    h("p", { class: "image-facts muted" },
      `Row ${count(item.row)}${item.position > 1 ? `, image ${count(item.position)}` : ""} · `,
      source ? h("a", { href: source, target: "_blank", rel: "noopener noreferrer", title: visible(item.url, 300) }, "source") : h("bdi", {}, visible(item.url, 60)),
      item.attempts > 1 ? ` · ${count(item.attempts)} attempts` : ""),
  ].filter(Boolean);
}

function sizes(item) {
  return h("p", { class: "sizes" },
    h("span", { class: "visually-hidden" }, "before "), h("s", { class: "muted" }, bytes(item.original?.bytes)), " → ",
    h("span", { class: "visually-hidden" }, "after "), h("strong", {}, bytes(item.output.bytes)));
}

function badge(item) {
  const percent = item.state === "succeeded" && item.output ? saving(item.original?.bytes, item.output.bytes) : null;
  if (percent === null) return [];
  return [h("span", { class: percent >= 0 ? "badge" : "badge larger" }, percent > 0 ? `−${percent} %` : percent === 0 ? "±0 %" : `+${-percent} %`)];
}
