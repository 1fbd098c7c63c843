// Shows the view for the current URL, navigates between views, and goes to the sign-in page when the session has ended.
// Must load before Studio: it wraps fetch and history, which Studio picks up when it starts.
(() => {
  "use strict";

  const base = new URL(document.baseURI);
  const byId = (id) => document.getElementById(id);
  const address = (path) => new URL(path, base).href;
  const definition = (id) => address(`workflows/definitions/${encodeURIComponent(id)}/edit`);
  const instance = (id) => address(`workflows/instances/${encodeURIComponent(id)}/view`);

  const views = [
    { path: /^workflows\/definitions\/?$/, tag: "elsa-workflow-definition-list", title: "Workflow definitions", calls: { editWorkflowDefinition: (id) => location.assign(definition(id)) } },
    { path: /^workflows\/definitions\/([^/]+)\/edit\/?$/, tag: "elsa-workflow-definition-editor", title: "Workflow", id: "definition-id" },
    { path: /^workflows\/instances\/?$/, tag: "elsa-workflow-instance-list", title: "Workflow instances", calls: { viewWorkflowInstance: (id) => location.assign(instance(id)) } },
    { path: /^workflows\/instances\/([^/]+)\/view\/?$/, tag: "elsa-workflow-instance-viewer", title: "Workflow instance", id: "instance-id", calls: { editWorkflowDefinition: (id) => location.assign(definition(id)) } },
  ];

  const openedAt = location.pathname;
  const path = openedAt.slice(base.pathname.length);
  const view = views.find((candidate) => candidate.path.test(path)) ?? views[0];

  // The session

  const fetchOf = window.fetch.bind(window);
  let leaving = false;

  function signIn() {
    if (leaving) return;
    leaving = true;
    location.assign(`${address("sign-in")}?reason=ended&return=${encodeURIComponent(location.pathname + location.search)}`);
  }

  const never = new Promise(() => {});

  // Identifies this window: its own saves may overtake each other, but another window's must not be overwritten.
  const editor = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");

  const api = new URL("../elsa/api/", base).href;
  const isOfApi = (resource) => typeof resource === "string" && new URL(resource, base).href.startsWith(api);

  /** Adds this window's id to calls of the workflow API. */
  function withEditorId(resource, options = {}) {
    if (!isOfApi(resource)) return [resource, options];
    const headers = new Headers(options.headers);
    headers.set("Darkroom-Editor", editor);
    return [resource, { ...options, headers }];
  }

  // Studio cannot handle a 401, so it never sees one: we leave for the sign-in page.
  window.fetch = async (...call) => {
    const response = await fetchOf(...withEditorId(...call));
    if (response.status === 401 && new URL(response.url || location.href, base).origin === base.origin) {
      signIn();
      return never;
    }
    titleFrom(response);
    if (isOfApi(call[0])) await darkroomNotices.inspect((call[1]?.method ?? "GET").toUpperCase(), new URL(call[0], base).pathname, response);
    return response;
  };

  async function refreshSession() {
    if (leaving) return;
    const response = await fetchOf(address("session"), { cache: "no-store" }).catch(() => null);
    if (response?.status === 401) return signIn();
    if (!response?.ok) return;
    const session = await response.json();
    byId("dr-owner").textContent = session.owner;
    byId("dr-owner").title = `Signed in as ${session.owner}`;
    byId("dr-owner").hidden = false;
    byId("dr-mode").hidden = session.can_edit;
  }

  async function signOut() {
    leaving = true;
    await fetchOf(address("session"), { method: "DELETE" }).catch(() => null);
    // Also forget the key of the page at /, or one click would sign in again.
    sessionStorage.removeItem("darkroom.key");
    location.assign(address("sign-in"));
  }

  byId("dr-sign-out").addEventListener("click", signOut);
  setInterval(refreshSession, 60_000);
  document.addEventListener("visibilitychange", () => document.hidden || refreshSession());
  refreshSession();

  // The title

  const title = (words) => { document.title = `${words} · Darkroom`; };

  /** Sets the title to the workflow's name, from a response to a call that Studio makes anyway. */
  function titleFrom(response) {
    if (view.id === undefined || !response.ok || !/\/workflow-definitions\/by-(definition-)?id\//.test(response.url)) return;
    response.clone().json().then(({ name }) => name && title(view.id === "instance-id" ? `Instance of ${name}` : name), () => {});
  }

  // One view per document: Studio cannot replace a view with another.

  for (const change of ["pushState", "replaceState"]) {
    const original = history[change].bind(history);
    history[change] = (...state) => {
      original(...state);
      if (location.pathname !== openedAt) location.reload();
    };
  }
  addEventListener("popstate", () => { if (location.pathname !== openedAt) location.reload(); });

  // The view

  title(view.title);
  for (const link of document.querySelectorAll(".dr-nav a"))
    if (openedAt.startsWith(new URL(link.href).pathname)) link.setAttribute("aria-current", "page");

  const element = document.createElement(view.tag);
  element.setAttribute("remote-endpoint", new URL("../elsa/api", base).href);
  if (view.id) element.setAttribute(view.id, decodeURIComponent(view.path.exec(path)[1]));
  byId("dr-stage").append(element);
  // Assigned before the element is defined, they would be lost.
  customElements.whenDefined(view.tag).then(() => Object.assign(element, view.calls));

  // Loading

  const slowNotice = setTimeout(() => { byId("dr-loading-words").textContent = "Still loading. On a slow machine or connection this can take a minute."; }, 20_000);
  let shown = false;

  function showStudio() {
    if (shown) return;
    shown = true;
    clearTimeout(slowNotice);
    watch.disconnect();
    byId("dr-loading").hidden = true;
    element.classList.add("dr-ready");
  }

  // The view is ready when it shows one of these.
  const content = ".mud-table, .mud-data-grid, .mud-toolbar, .mud-tabs, .mud-alert, canvas, svg";
  const watch = new MutationObserver(() => element.querySelector(content) && showStudio());
  watch.observe(element, { childList: true, subtree: true });

  function showBroken(words) {
    clearTimeout(slowNotice);
    byId("dr-loading").hidden = true;
    if (words) byId("dr-broken-words").textContent = words;
    byId("dr-broken").hidden = false;
  }

  addEventListener("error", (event) => { if (event.target instanceof HTMLScriptElement) showBroken(null); }, true);
  byId("dr-reload").addEventListener("click", () => location.reload());

  // Studio's own crash message. If nothing is on screen yet, show our error page. After an error that a notice has just explained,
  // Studio keeps working, so hide the message.
  new MutationObserver(() => {
    if (leaving || byId("blazor-error-ui").style.display !== "block") return;
    if (!shown) showBroken("It failed to start. The server may be temporarily unavailable.");
    else if (darkroomNotices.hasJustExplained()) byId("blazor-error-ui").style.display = "none";
  }).observe(byId("blazor-error-ui"), { attributes: true, attributeFilter: ["style"] });
})();
