// The request view: progress, savings, failures and downloads.

import { ApiError, cancel, get, requestPath, save } from "./api.js";
import { announce, h, icon, setText } from "./dom.js";
import { gallery } from "./gallery.js";
import { statePill } from "./pill.js";
import { poll } from "./poller.js";
import { bytes, count, duration, isFinal, moment, plural, requestState, saving, visible } from "./words.js";

const expired = "Your key is no longer accepted. Sign in again; your request keeps running.";

export function requestView(app, id) {
  const parts = build();
  const images = gallery(id);
  const element = h("div", { class: "request" }, parts.element);
  const path = requestPath(id);
  let request = null;
  let shownRevision = null;
  let announcedStep = -1;
  const clock = setInterval(() => request && showTime(parts, request), 1000);

  const watch = poll(async () => {
    const { value, retryAfter } = await get(path);
    request = value;
    show();
    // Refreshed after the counts. If this fails, the next poll tries again.
    if (shownRevision !== value.revision) {
      await images.refresh(value);
      shownRevision = value.revision;
    }
    return { retryAfter, done: isFinal(value.status) };
  }, fatal);

  function fatal(error) {
    clearInterval(clock);
    if (error.status === 401) return app.signIn(expired);
    const missing = error.status === 404;
    element.replaceChildren(h("section", { class: "card empty" },
      h("span", { class: "emblem" }, icon("image")),
      h("h1", { tabindex: "-1" }, missing ? "No such request" : "This request cannot be shown"),
      h("p", { class: "muted" }, missing ? "It does not exist, or it belongs to another key." : error.message),
      h("a", { class: "button primary", href: "./", "data-route": true }, "Back to your requests")));
    element.querySelector("h1").focus();
  }

  function show() {
    showRequest(parts, request);
    document.title = `${isFinal(request.status) ? requestState(request.status).word : `${request.processing_percentage} %`} · ${visible(request.file_name || "Request", 60)} · Darkroom`;
    announceProgress();
  }

  // Screen readers get each quarter and the end.
  function announceProgress() {
    const step = isFinal(request.status) ? 5 : Math.floor(request.processing_percentage / 25);
    if (step === announcedStep) return;
    announcedStep = step;
    announce(isFinal(request.status)
      ? `${requestState(request.status).word}. ${plural(request.images.succeeded, "image")} compressed, ${count(request.images.failed)} failed.`
      : `${request.processing_percentage} percent`);
  }

  parts.output.addEventListener("click", () => download(`${path}/output.csv`, outputName(request), parts.output));
  parts.input.addEventListener("click", () => download(`${path}/input.csv`, request?.file_name || "input.csv", parts.input));
  parts.cancel.addEventListener("click", () => parts.dialog.showModal());
  parts.showFailures.addEventListener("click", () => images.choose("failed"));
  parts.dialog.addEventListener("close", async () => {
    if (parts.dialog.returnValue !== "cancel") return;
    parts.dialog.returnValue = "";
    parts.cancel.disabled = true;
    try {
      await cancel(id);
      await watch.now();
    } catch (error) {
      // 409: the run has ended in the meantime, and the next poll shows how.
      if (error.status === 401) app.signIn(expired);
      else if (error.status === 409) await watch.now();
      else showError(error);
    } finally {
      parts.cancel.disabled = false;
    }
  });

  async function download(from, name, button) {
    button.disabled = true;
    setText(parts.problem, "");
    try {
      await save(from, name);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) app.signIn(expired);
      else showError(error);
    } finally {
      button.disabled = false;
    }
  }

  function showError(error) {
    setText(parts.problem, error instanceof ApiError ? error.message : "The file could not be saved.");
  }

  parts.element.append(images.element);
  return { element, title: "Request", leave: () => { watch.stop(); images.leave(); clearInterval(clock); } };
}

const outputName = (request) => `${(request?.file_name || "products.csv").replace(/\.[^.]*$/, "")}-compressed.csv`;

function build() {
  const parts = {
    name: h("bdi", {}, "Loading…"),
    pill: h("span", {}),
    facts: h("p", { class: "muted facts" }),
    percent: h("span", { class: "percent" }, "0"),
    good: h("div", { class: "fill good" }),
    bad: h("div", { class: "fill bad" }),
    notice: h("div", { class: "notice-slot" }),
    images: tile("Images"),
    failed: tile("Failed"),
    saved: tile("Saved"),
    time: tile("Time"),
    output: h("button", { type: "button", class: "primary", disabled: true }, icon("download"), "Download the result"),
    input: h("button", { type: "button", class: "secondary" }, icon("file"), "Uploaded CSV"),
    cancel: h("button", { type: "button", class: "plain danger", hidden: true }, "Cancel this request"),
    problem: h("p", { class: "field-error", role: "alert" }),
    showFailures: h("button", { type: "button", class: "plain" }, "Show them"),
    details: h("dl", { class: "details" }),
  };
  parts.track = h("div", { class: "track tall", role: "progressbar", "aria-label": "Progress", "aria-valuemin": "0", "aria-valuemax": "100" }, parts.good, parts.bad);
  parts.dialog = h("dialog", { "aria-labelledby": "cancel-title" },
    h("form", { method: "dialog" },
      h("h2", { id: "cancel-title" }, "Cancel this request?"),
      h("p", {}, "Finished images are kept; the rest will not be processed. This cannot be undone."),
      h("div", { class: "actions" },
        h("button", { value: "keep", class: "secondary", autofocus: true }, "Keep going"),
        h("button", { value: "cancel", class: "primary danger" }, "Cancel the request"))));
  parts.element = h("div", {},
    h("a", { class: "back", href: "./", "data-route": true }, icon("back"), "All requests"),
    h("section", { class: "card status", "aria-label": "Status" },
      h("div", { class: "status-head" },
        h("div", { class: "status-name" }, h("h1", { tabindex: "-1" }, parts.name), parts.facts),
        parts.pill),
      h("div", { class: "progress-row" }, h("p", { class: "big" }, parts.percent, h("span", { class: "unit" }, "%")), parts.track),
      parts.notice,
      h("dl", { class: "tiles" }, parts.images.element, parts.failed.element, parts.saved.element, parts.time.element),
      h("div", { class: "actions" }, parts.output, parts.input, parts.cancel),
      parts.problem,
      h("details", { class: "more-facts" }, h("summary", {}, "Details"), parts.details)),
    parts.dialog);
  return parts;
}

function tile(label) {
  const value = h("span", { class: "tile-value" }, "–");
  const note = h("span", { class: "tile-note muted" });
  return { value, note, element: h("div", { class: "tile" }, h("dt", {}, label), h("dd", {}, value, note)) };
}

function fillTile(part, value, note = "") {
  setText(part.value, value);
  setText(part.note, note);
}

function showRequest(parts, request) {
  const { images, bytes: size } = request;
  const final = isFinal(request.status);
  setText(parts.name, visible(request.file_name || "Unnamed file", 80));
  setText(parts.facts, [plural(request.no_of_products, "product"), plural(request.no_of_images, "image"), request.run > 1 ? `run ${count(request.run)}` : null].filter(Boolean).join(" · "));
  if (parts.pill.dataset.status !== request.status) {
    parts.pill.dataset.status = request.status;
    parts.pill.replaceChildren(statePill(request.status));
  }
  showProgress(parts, request, final);
  fillTile(parts.images, count(images.succeeded), `of ${count(request.no_of_images)} compressed`);
  fillTile(parts.failed, count(images.failed), images.cancelled > 0 ? `${count(images.cancelled)} cancelled` : images.failed === 0 ? (final ? "none" : "none so far") : `of ${count(request.no_of_images)}`);
  parts.failed.element.classList.toggle("alarm", images.failed > 0);
  fillTile(parts.saved, size.saved > 0 ? bytes(size.saved) : "–", size.in > 0 ? `${saving(size.in, size.out)} % of ${bytes(size.in)}` : "");
  showTime(parts, request);
  parts.output.disabled = !request.links?.output_csv;
  parts.output.title = parts.output.disabled ? (final ? "There is no result to download." : "Ready when the request is done.") : "";
  parts.cancel.hidden = final;
  showNotice(parts, request);
  showDetails(parts, request);
}

function showProgress(parts, request, final) {
  const share = (part) => `${request.no_of_images > 0 ? (100 * part) / request.no_of_images : 0}%`;
  setText(parts.percent, String(request.processing_percentage));
  parts.good.style.width = share(request.images.succeeded);
  parts.bad.style.width = share(request.images.failed);
  parts.track.setAttribute("aria-valuenow", request.processing_percentage);
  parts.track.setAttribute("aria-valuetext", `${request.processing_percentage} percent, ${requestState(request.status).word}`);
  parts.track.classList.toggle("waiting", !final && request.images.succeeded + request.images.failed === 0);
}

function showTime(parts, request) {
  const start = Date.parse(request.started_at ?? request.created_at);
  const end = request.finished_at ? Date.parse(request.finished_at) : Date.now();
  fillTile(parts.time, duration(end - start), request.finished_at ? "in total" : request.started_at ? "so far" : "waiting");
}

function showNotice(parts, request) {
  const failed = request.images.failed;
  const kind = `${request.status}:${failed}:${request.error?.code ?? ""}`;
  if (parts.notice.dataset.kind === kind) return;
  parts.notice.dataset.kind = kind;
  if (request.error)
    parts.notice.replaceChildren(h("p", { class: "notice bad" }, icon("alert"), h("span", {}, visible(request.error.message || request.error.code, 600), " ", h("code", { class: "code" }, visible(request.error.code, 60)))));
  else if (request.status === "cancelled")
    parts.notice.replaceChildren(h("p", { class: "notice" }, icon("clock"), h("span", {}, "Cancelled. Images that were already finished are below.")));
  else if (request.status === "completed_with_errors")
    parts.notice.replaceChildren(h("p", { class: "notice warn" }, icon("alert"), h("span", {}, `${plural(failed, "image")} failed. The result leaves their places empty and gives the reasons in its Errors column. `, parts.showFailures)));
  else if (request.status === "completed")
    parts.notice.replaceChildren(h("p", { class: "notice good" }, icon("check"), h("span", {}, "Every image is compressed. The result is ready.")));
  else parts.notice.replaceChildren();
}

function showDetails(parts, request) {
  const facts = [
    ["Request", request.id],
    ["Workflow", request.workflow ? `${request.workflow.definition_id}, version ${request.workflow.version}` : null],
    ["Webhook", request.webhook_url],
    ["Created", moment(request.created_at)],
    ["Finished", moment(request.finished_at)],
  ].filter(([, value]) => value);
  const text = JSON.stringify(facts);
  if (parts.details.dataset.text === text) return;
  parts.details.dataset.text = text;
  parts.details.replaceChildren(...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, h("bdi", {}, visible(value, 300)))]));
}
