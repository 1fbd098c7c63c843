// Puts the view that the address names on the page, leads between views, and goes to the sign-in when the session has ended.
// Loaded before Studio: what it wraps must be wrapped before Studio takes hold of it.
(() => {
  "use strict";

  const base = new URL(document.baseURI);
  const tell = (id) => document.getElementById(id);
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

  // Tells this window from others of the same person: its own saves may overtake each other, theirs may not be overwritten.
  const editor = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");

  const api = new URL("../elsa/api/", base).href;
  const isOfApi = (resource) => typeof resource === "string" && new URL(resource, base).href.startsWith(api);

  /** The call with this window's name on it, if it goes to the workflow API. */
  function signed(resource, options = {}) {
    if (!isOfApi(resource)) return [resource, options];
    const headers = new Headers(options.headers);
    headers.set("Darkroom-Editor", editor);
    return [resource, { ...options, headers }];
  }

  // Studio cannot do anything sensible with a 401: it never learns of it, and the page is left.
  window.fetch = async (...call) => {
    const response = await fetchOf(...signed(...call));
    if (response.status === 401 && new URL(response.url || location.href, base).origin === base.origin) {
      signIn();
      return never;
    }
    nameAfter(response);
    if (isOfApi(call[0])) await darkroomNotices.look((call[1]?.method ?? "GET").toUpperCase(), new URL(call[0], base).pathname, response);
    return response;
  };

  async function askWhoIsSignedIn() {
    if (leaving) return;
    const response = await fetchOf(address("session"), { cache: "no-store" }).catch(() => null);
    if (response?.status === 401) return signIn();
    if (!response?.ok) return;
    const session = await response.json();
    tell("dr-owner").textContent = session.owner;
    tell("dr-owner").title = `Signed in as ${session.owner}`;
    tell("dr-owner").hidden = false;
    tell("dr-mode").hidden = session.can_edit;
  }

  async function signOut() {
    leaving = true;
    await fetchOf(address("session"), { method: "DELETE" }).catch(() => null);
    // The key of the page at / as well: after a sign-out nobody should get in by one click.
    sessionStorage.removeItem("darkroom.key");
    location.assign(address("sign-in"));
  }

  tell("dr-sign-out").addEventListener("click", signOut);
  setInterval(askWhoIsSignedIn, 60_000);
  document.addEventListener("visibilitychange", () => document.hidden || askWhoIsSignedIn());
  askWhoIsSignedIn();

  // The title

  const title = (words) => { document.title = `${words} · Darkroom`; };

  /** Reads a workflow's name off an answer that Studio asked for anyway. */
  function nameAfter(response) {
    if (view.id === undefined || !response.ok || !/\/workflow-definitions\/by-(definition-)?id\//.test(response.url)) return;
    response.clone().json().then(({ name }) => name && title(view.id === "instance-id" ? `Instance of ${name}` : name), () => {});
  }

  // One view a document: Studio cannot put a second one in its place.

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
  tell("dr-stage").append(element);
  // Assigned earlier, they would be lost.
  customElements.whenDefined(view.tag).then(() => Object.assign(element, view.calls));

  // Until it shows

  const patience = setTimeout(() => { tell("dr-loading-words").textContent = "Still at it. On a slow machine or connection this can take a minute."; }, 20_000);
  let shown = false;

  function showStudio() {
    if (shown) return;
    shown = true;
    clearTimeout(patience);
    watch.disconnect();
    tell("dr-loading").hidden = true;
    element.classList.add("dr-ready");
  }

  // What a view shows first is furniture; a table or a canvas is the view.
  const furniture = ".mud-table, .mud-data-grid, .mud-toolbar, .mud-tabs, .mud-alert, canvas, svg";
  const watch = new MutationObserver(() => element.querySelector(furniture) && showStudio());
  watch.observe(element, { childList: true, subtree: true });

  function showBroken(words) {
    clearTimeout(patience);
    tell("dr-loading").hidden = true;
    if (words) tell("dr-broken-words").textContent = words;
    tell("dr-broken").hidden = false;
  }

  addEventListener("error", (event) => { if (event.target instanceof HTMLScriptElement) showBroken(null); }, true);
  tell("dr-reload").addEventListener("click", () => location.reload());

  // Studio's own notice of its death. Before anything of it was shown there is nothing behind the notice; after a refusal that was
  // explained it lives on, and the notice would only frighten.
  new MutationObserver(() => {
    if (leaving || tell("blazor-error-ui").style.display !== "block") return;
    if (!shown) showBroken("It met an error while starting. The server may be away for a moment.");
    else if (darkroomNotices.hasJustExplained()) tell("blazor-error-ui").style.display = "none";
  }).observe(tell("blazor-error-ui"), { attributes: true, attributeFilter: ["style"] });
})();
