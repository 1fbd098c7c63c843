import { session, tryKey } from "./api.js";
import { h, icon } from "./dom.js";

export function signInView(app, onSignedIn, reason) {
  const input = h("input", { id: "key", name: "key", type: "password", autocomplete: "off", autocapitalize: "none", spellcheck: "false", required: true, placeholder: "dk_…", "aria-describedby": "key-error key-hint" });
  const error = h("p", { id: "key-error", class: "field-error", role: "alert" }, reason ?? "");
  const button = h("button", { type: "submit", class: "primary" }, "Sign in");
  const reveal = h("button", { type: "button", class: "plain reveal", "aria-pressed": "false", onclick: toggle }, "Show");

  function toggle() {
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    reveal.textContent = shown ? "Hide" : "Show";
    reveal.setAttribute("aria-pressed", String(shown));
  }

  async function submit(event) {
    event.preventDefault();
    const key = input.value.trim();
    if (!key) return refuse("Enter your API key.");
    // Header values are ASCII, so anything else cannot be sent and was probably pasted by mistake.
    if (!/^[\x21-\x7e]+$/.test(key)) return refuse("An API key has no spaces or special characters. Did you paste something else?");
    button.disabled = true;
    button.textContent = "Checking…";
    try {
      await tryKey(key);
      session.key = key;
      onSignedIn();
    } catch (failure) {
      refuse(failure.status === 401 ? "This key was not accepted. Check that it is complete and has not been revoked." : failure.message);
    } finally {
      button.disabled = false;
      button.textContent = "Sign in";
    }
  }

  function refuse(text) {
    error.textContent = text;
    input.setAttribute("aria-invalid", "true");
    input.focus();
    input.select();
  }

  const element = h("section", { class: "sign-in card" },
    h("span", { class: "emblem" }, icon("key")),
    h("h1", { tabindex: "-1" }, "Sign in"),
    h("p", { class: "muted" }, "Sign in with your API key. It stays in this browser tab and is forgotten when the tab closes."),
    h("form", { onsubmit: submit, novalidate: true },
      h("label", { for: "key" }, "API key"),
      h("div", { class: "with-button" }, input, reveal),
      error,
      button),
    h("details", { id: "key-hint" },
      h("summary", {}, "Where do I find my key?"),
      h("p", {}, "On a development machine, the AppHost prints the key each time it starts and stores it as ", h("code", {}, "key"), " in ", h("code", {}, ".data/run.json"), "."),
      h("p", {}, "Elsewhere, an administrator creates one: ", h("code", {}, "dotnet ApiService.dll keys create"), ".")));

  return { element, title: "Sign in", focus: input };
}
