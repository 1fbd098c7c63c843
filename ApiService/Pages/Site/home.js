// The home view: upload a CSV, see its errors or open the new request, and find earlier requests.

import { ApiError, get, newIdempotencyKey, requestAddress, upload } from "./api.js";
import { announce, h, icon, safeUrl, setText } from "./dom.js";
import { poll } from "./poller.js";
import { problemView } from "./problems.js";
import { statePill } from "./pill.js";
import { ago, bytes, isFinal, moment, plural, saving, visible } from "./words.js";

export function homeView(app) {
  const sender = uploadPanel(app);
  const recent = recentPanel(app);
  const element = h("div", { class: "home" },
    h("div", { class: "intro" },
      h("h1", { tabindex: "-1" }, "Smaller images, same list."),
      h("p", { class: "lead" }, "Upload a CSV of products and their image URLs. Get the same CSV back with a compressed copy of every image.")),
    sender.element,
    recent.element);
  return { element, leave: () => { sender.leave(); recent.leave(); } };
}

function uploadPanel(app) {
  const stage = h("div", { class: "stage" });
  const webhook = h("input", { id: "webhook", type: "url", inputmode: "url", placeholder: "https://example.com/hooks/darkroom", autocomplete: "url", "aria-describedby": "webhook-error" });
  const webhookError = h("p", { id: "webhook-error", class: "field-error", role: "alert" });
  const webhookDetails = h("details", { class: "webhook" },
    h("summary", {}, "Notify a webhook when done"),
    h("label", { for: "webhook" }, "Webhook URL ", h("span", { class: "muted" }, "(optional)")),
    webhook, webhookError);
  const workflow = h("select", { id: "workflow", "aria-describedby": "workflow-about", onchange: describeWorkflow });
  const workflowAbout = h("span", { id: "workflow-about", class: "muted" });
  const workflowLine = h("p", { class: "workflow", hidden: true }, h("label", { for: "workflow" }, "Workflow "), workflow, workflowAbout);
  const sampleLine = h("p", { class: "sample", hidden: true });
  const panel = h("section", { class: "card upload", "aria-label": "New request" }, stage, workflowLine, webhookDetails, sampleLine);
  let abort = new AbortController();

  function pick(focus = false) {
    const input = h("input", { id: "file", type: "file", accept: ".csv,.tsv,.txt,text/csv,text/tab-separated-values", class: "visually-hidden", onchange: () => input.files[0] && start(input.files[0]) });
    const zone = h("label", { class: "drop", for: "file" },
      input,
      h("span", { class: "emblem" }, icon("upload")),
      h("span", { class: "drop-title" }, h("span", { class: "wide" }, "Drop your CSV here, or "), h("span", { class: "link" }, "choose a file")),
      h("span", { class: "muted" }, "Columns: ", h("code", {}, "S. No."), ", ", h("code", {}, "Product Name"), ", ", h("code", {}, "Input Image Urls")));
    zone.addEventListener("dragenter", () => zone.classList.add("over"));
    zone.addEventListener("dragover", (event) => { event.dataTransfer.dropEffect = "copy"; zone.classList.add("over"); });
    zone.addEventListener("dragleave", (event) => { if (!zone.contains(event.relatedTarget)) zone.classList.remove("over"); });
    zone.addEventListener("drop", (event) => {
      zone.classList.remove("over");
      const files = event.dataTransfer.files;
      if (files.length > 1) refuse("One CSV at a time, please.", null);
      else if (files.length === 1) start(files[0]);
    });
    stage.replaceChildren(zone);
    if (focus) input.focus();
  }

  function start(file) {
    const url = webhook.value.trim();
    if (url !== "" && !(safeUrl(url) && /^https?:\/\//i.test(url))) {
      webhookDetails.open = true;
      webhookError.textContent = "This is not a web address (https://…).";
      webhook.setAttribute("aria-invalid", "true");
      webhook.focus();
      pick();
      return;
    }
    webhookError.textContent = "";
    webhook.removeAttribute("aria-invalid");
    transfer({ file, webhookUrl: url, workflow: workflow.value, idempotencyKey: newIdempotencyKey() });
  }

  async function transfer(sending) {
    const { file } = sending;
    abort = new AbortController();
    const bar = h("div", { class: "fill" });
    const track = h("div", { class: "track", role: "progressbar", "aria-label": "Upload", "aria-valuemin": "0", "aria-valuemax": "100" }, bar);
    const line = h("p", { class: "muted" }, "Starting…");
    stage.replaceChildren(h("div", { class: "sending" },
      h("p", { class: "file-name" }, icon("file"), h("bdi", {}, visible(file.name, 80))),
      track, line,
      h("button", { type: "button", class: "secondary", onclick: () => abort.abort() }, "Cancel upload")));
    announce("Uploading");
    workflowLine.hidden = webhookDetails.hidden = sampleLine.hidden = true;
    const onProgress = (sent, total) => {
      const percent = total ? Math.min(100, Math.floor((sent / total) * 100)) : 0;
      bar.style.width = `${percent}%`;
      track.setAttribute("aria-valuenow", percent);
      setText(line, percent < 100 ? `${bytes(sent)} of ${bytes(total)}` : "Checking every row…");
      track.classList.toggle("waiting", percent >= 100);
    };
    try {
      const request = await upload({ ...sending, onProgress, signal: abort.signal });
      app.go(requestAddress(request.id));
    } catch (error) {
      if (error.name === "AbortError") return again(true);
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) return app.signIn("Your key is no longer accepted. Sign in again; nothing was uploaded.");
      // Trying again is safe: under the same idempotency key an upload that did arrive is not repeated.
      const retry = error.status === 0 || error.status === 409 || error.status === 429 || error.status >= 500 ? () => transfer(sending) : null;
      refuse(error, file, retry);
    }
  }

  function refuse(error, file, retry = null) {
    const report = problemView(error, file);
    stage.replaceChildren(h("div", { class: "refused" },
      report,
      h("div", { class: "actions" },
        retry ? h("button", { type: "button", class: "primary", onclick: retry }, "Try again") : null,
        h("button", { type: "button", class: retry ? "secondary" : "primary", onclick: () => again(true) }, "Choose another file"))));
    workflowLine.hidden = webhookDetails.hidden = sampleLine.hidden = true;
    report.querySelector("h2").focus();
  }

  function again(focus) {
    webhookDetails.hidden = false;
    workflowLine.hidden = workflow.options.length < 2;
    sampleLine.hidden = sampleLine.childElementCount === 0;
    pick(focus);
  }

  // With a single workflow there is nothing to choose. If the list cannot be loaded, the default runs.
  async function offerWorkflows() {
    const { value } = await get("v1/workflows").catch(() => ({ value: { items: [] } }));
    const items = value?.items ?? [];
    items.sort((one, other) => other.is_default - one.is_default);
    workflow.replaceChildren(...items.map((item) => h("option", { value: item.id, "data-about": item.description ?? "" }, visible(item.name, 80))));
    describeWorkflow();
    workflowLine.hidden = items.length < 2 || stage.querySelector(".drop") === null;
  }

  function describeWorkflow() {
    setText(workflowAbout, visible(workflow.selectedOptions[0]?.dataset.about ?? "", 200));
  }

  // Only development has a sample, whose images it serves itself.
  async function offerSample() {
    const response = await fetch("pages/sample.csv", { credentials: "omit" }).catch(() => null);
    if (response?.status !== 200) return;
    const content = await response.blob();
    const file = () => new File([content], "products.csv", { type: "text/csv" });
    sampleLine.append(
      "New here? ",
      h("button", { type: "button", class: "plain", onclick: () => start(file()) }, "Try it with the sample"),
      " or ",
      h("a", { href: "pages/sample.csv", download: "products.csv" }, "look at its CSV"),
      ".");
    sampleLine.hidden = stage.querySelector(".drop") === null;
  }

  pick();
  offerWorkflows();
  offerSample();
  return { element: panel, leave: () => abort.abort() };
}

function recentPanel(app) {
  const list = h("ul", { class: "recent-list" });
  const more = h("button", { type: "button", class: "secondary more", hidden: true, onclick: showMore }, "Show earlier requests");
  const element = h("section", { class: "recent", "aria-labelledby": "recent-title" },
    h("h2", { id: "recent-title" }, "Recent requests"),
    h("p", { class: "muted", id: "recent-empty" }, "Loading…"),
    list, more);
  const empty = element.querySelector("#recent-empty");
  const older = [];
  let cursor = null;
  let newest = [];

  const watch = poll(async () => {
    const { value, retryAfter } = await get("v1/requests?limit=10");
    newest = value.items;
    if (older.length === 0) cursor = value.next_cursor;
    render();
    // While nothing is running, new requests most likely come from this tab, so poll slowly.
    return { retryAfter: newest.some((request) => !isFinal(request.status)) ? Math.max(retryAfter ?? 0, 3) : 30 };
  }, (error) => (error.status === 401 ? app.signIn("Your key is no longer accepted. Sign in again.") : setText(empty, error.message)));

  async function showMore() {
    more.disabled = true;
    try {
      const { value } = await get(`v1/requests?limit=10&cursor=${encodeURIComponent(cursor)}`);
      older.push(...value.items);
      cursor = value.next_cursor;
      render();
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) app.signIn("Your key is no longer accepted. Sign in again.");
      else setText(more, "Could not load more. Try again");
    } finally {
      more.disabled = false;
    }
  }

  function render() {
    const seen = new Set();
    const all = [...newest, ...older].filter((request) => !seen.has(request.id) && seen.add(request.id));
    empty.hidden = all.length > 0;
    setText(empty, "Nothing yet. Your uploads will appear here.");
    more.hidden = !cursor;
    // Replacing the items loses keyboard focus; restore it.
    const focused = document.activeElement?.closest?.(".recent-list a")?.getAttribute("href");
    list.replaceChildren(...all.map(recentItem));
    if (focused) [...list.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
  }

  return { element, leave: watch.stop };
}

function recentItem(request) {
  const saved = request.bytes?.saved > 0 ? `${bytes(request.bytes.saved)} saved (${saving(request.bytes.in, request.bytes.out)} %)` : null;
  return h("li", {},
    h("a", { href: requestAddress(request.id), "data-route": true },
      h("span", { class: "recent-name" }, h("bdi", {}, visible(request.file_name || "Unnamed file", 80))),
      statePill(request.status, request.processing_percentage),
      h("span", { class: "recent-facts muted" }, [plural(request.no_of_products, "product"), plural(request.no_of_images, "image"), saved].filter(Boolean).join(" · ")),
      h("time", { class: "muted", datetime: request.created_at, title: moment(request.created_at) }, ago(request.created_at))));
}
