// Exchanges an API key for a session cookie that scripts cannot read, then continues to the page that was asked for.

const field = document.getElementById("key");
const error = document.getElementById("error");
const reason = document.getElementById("reason");
const query = new URLSearchParams(location.search);
const here = new URL("./", location.href);

/** Only pages of Studio: anything else would make this an open redirect. */
function destination() {
  const home = new URL("workflows/definitions", here);
  try {
    const wanted = new URL(query.get("return") ?? home, here);
    return wanted.origin === here.origin && wanted.pathname.startsWith(`${here.pathname}workflows/`) ? wanted : home;
  } catch {
    return home;
  }
}

async function exchange(key, button) {
  const label = button.textContent;
  button.disabled = true;
  button.textContent = "Signing in…";
  error.textContent = "";
  try {
    const response = await fetch(new URL("session", here), { method: "POST", cache: "no-store", headers: { Authorization: `Bearer ${key}` } });
    if (response.ok) {
      location.replace(destination());
      return null;
    }
    if (response.status === 401) return "This key was not accepted. Check that it is complete and has not been revoked.";
    if (response.status === 403) return "This key cannot open workflows: it needs the scope workflows:read or workflows:edit.";
    if (response.status === 429) return "Too many invalid keys. Wait a minute, then try again.";
    return `The server had a problem (${response.status}). Try again.`;
  } catch {
    return "The server cannot be reached.";
  } finally {
    button.disabled = false;
    button.textContent = label;
  }
}

document.getElementById("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const key = field.value.trim();
  // Header values are ASCII, so anything else cannot be sent and was probably pasted by mistake.
  const problem = key === "" ? "Enter your API key."
    : /^[\x21-\x7e]+$/.test(key) ? await exchange(key, document.getElementById("sign-in"))
    : "An API key has no spaces or special characters. Did you paste something else?";
  if (problem === null) return;
  error.textContent = problem;
  field.setAttribute("aria-invalid", "true");
  field.focus();
  field.select();
});

// The page at / keeps its key in this tab's session storage. Offer it rather than use it: opening this page is not yet consent to sign in.
const keyOfThisTab = sessionStorage.getItem("darkroom.key");
const useThis = document.getElementById("use-this");
function offer(offered) {
  document.getElementById("this-tab").hidden = !offered;
  document.getElementById("lead").hidden = offered;
  document.getElementById("sign-in").className = offered ? "secondary" : "primary";
}

if (keyOfThisTab) {
  offer(true);
  useThis.addEventListener("click", async () => {
    const problem = await exchange(keyOfThisTab, useThis);
    if (problem === null) return;
    error.textContent = problem;
    offer(false);
    field.focus();
  });
  useThis.focus();
} else {
  field.focus();
}

if (query.get("reason") === "ended") reason.textContent = "Your session has ended. Sign in again to continue where you were; saved changes are safe.";
