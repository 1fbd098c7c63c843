// Exchanges an API key for a session: a cookie that scripts cannot read. Then goes where the person was going.

const field = document.getElementById("key");
const error = document.getElementById("error");
const reason = document.getElementById("reason");
const asked = new URLSearchParams(location.search);
const here = new URL("./", location.href);

/** Only into Studio: an address of somebody else must not borrow this page's name. */
function destination() {
  const home = new URL("workflows/definitions", here);
  try {
    const wanted = new URL(asked.get("return") ?? home, here);
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
    if (response.status === 401) return "This key was not accepted. Is it complete, and not revoked?";
    if (response.status === 403) return "This key may not open workflows: it lacks the scopes workflows:read and workflows:edit.";
    if (response.status === 429) return "Too many wrong keys were sent. Wait a minute, then try again.";
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
  // Header values are ASCII; anything else was pasted by mistake and no request could carry it.
  const refusal = key === "" ? "Enter your API key."
    : /^[\x21-\x7e]+$/.test(key) ? await exchange(key, document.getElementById("sign-in"))
    : "An API key has no blanks or special characters. Was something else pasted?";
  if (refusal === null) return;
  error.textContent = refusal;
  field.setAttribute("aria-invalid", "true");
  field.focus();
  field.select();
});

// The page at / keeps its key in this tab. It is offered, not taken: coming here says nothing about wanting to sign in.
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
    const refusal = await exchange(keyOfThisTab, useThis);
    if (refusal === null) return;
    error.textContent = refusal;
    offer(false);
    field.focus();
  });
  useThis.focus();
} else {
  field.focus();
}

if (asked.get("reason") === "ended") reason.textContent = "Your sign-in has ended. Sign in again to go on where you were; what was saved is safe.";
