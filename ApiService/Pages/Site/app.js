// Which view is shown. The address is the state: /?request={id} opens that request, / everything else.

import { opensWorkflows, session } from "./api.js";
import { announce, h } from "./dom.js";
import { homeView } from "./home.js";
import { showConnection } from "./poller.js";
import { requestView } from "./request.js";
import { signInView } from "./sign-in.js";

const main = document.getElementById("main");
const sessionBar = document.getElementById("session");
let leave = () => {};

const app = {
  /** Goes to an address of this page. */
  go(address) {
    history.pushState(null, "", address);
    show();
  },
  /** The key stopped being good, or there is none: ask for one, then come back to where we were. */
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
  // A new view is a new page to those who hear it; the field to fill is the better place where there is one.
  (view.focus ?? main.querySelector("h1") ?? main).focus({ preventScroll: true });
  announce(view.title ?? "Darkroom");
}

// Most keys open no workflows: the link appears for those that do.
function workflowsLink() {
  const link = h("a", { class: "button plain", href: "studio", hidden: true }, "Workflows");
  opensWorkflows().then((opens) => { link.hidden = !opens; });
  return link;
}

addEventListener("popstate", () => show());

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-route]");
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  app.go(link.getAttribute("href"));
});

// A file dropped beside the drop zone must not replace the page.
for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());

show();
