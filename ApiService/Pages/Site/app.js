// Chooses the view. The URL is the state: /?request={id} shows that request, / the home view.

import { canOpenWorkflows, session } from "./api.js";
import { announce, h } from "./dom.js";
import { homeView } from "./home.js";
import { showConnection } from "./poller.js";
import { requestView } from "./request.js";
import { signInView } from "./sign-in.js";

const main = document.getElementById("main");
const sessionBar = document.getElementById("session");
let leave = () => {};

const app = {
  /** Navigates to a URL of this page. */
  go(address) {
    history.pushState(null, "", address);
    show();
  },
  /** Asks for a key, then returns to the current view. */
  signIn(reason) {
    session.key = null;
    show(reason);
  },
};

function show(reason = null) {
  leave();
  showConnection(null);
  const id = new URLSearchParams(location.search).get("request");
  const view = !session.key ? signInView(app, show, reason) : id ? requestView(app, id) : homeView(app);
  leave = view.leave ?? (() => {});
  document.title = view.title ? `${view.title} · Darkroom` : "Darkroom";
  main.replaceChildren(view.element);
  sessionBar.replaceChildren(...(session.key ? [workflowsLink(), h("button", { type: "button", class: "plain", onclick: () => app.signIn(null) }, "Sign out")] : []));
  scrollTo(0, 0);
  // To a screen reader a new view is a new page: focus its first field, or else its heading.
  (view.focus ?? main.querySelector("h1") ?? main).focus({ preventScroll: true });
  announce(view.title ?? "Darkroom");
}

// Shown only for keys that can open the workflow editor; most cannot.
function workflowsLink() {
  const link = h("a", { class: "button plain", href: "studio", hidden: true }, "Workflows");
  canOpenWorkflows().then((canOpen) => { link.hidden = !canOpen; });
  return link;
}

addEventListener("popstate", () => show());

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-route]");
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  app.go(link.getAttribute("href"));
});

// Without this, a file dropped outside the drop zone would replace the page.
for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());

show();
