// Asks again and again, politely: as rarely as the server wishes, more rarely while it fails or nobody looks, and at once when it matters.

import { ApiError } from "./api.js";
import { setText } from "./dom.js";

const defaultSeconds = 2;
const hiddenSeconds = 30;
const longestBackOffSeconds = 30;

/** How long to wait before the next question, in seconds. */
export function nextDelay({ failures, retryAfter, hidden }) {
  const polite = Math.max(retryAfter ?? defaultSeconds, 0.5);
  const wait = failures > 0 ? Math.max(polite, Math.min(longestBackOffSeconds, 2 ** failures)) : polite;
  return hidden ? Math.max(wait, hiddenSeconds) : wait;
}

/**
 * Calls ask() until it answers { done: true } or stop() is called. ask() may return { retryAfter }.
 * onFatal gets the errors that asking again cannot mend (401, 403, 404).
 */
export function poll(ask, onFatal) {
  let timer;
  let failures = 0;
  let stopped = false;
  let asking = false;

  async function turn() {
    if (stopped || asking) return;
    clearTimeout(timer);
    asking = true;
    let retryAfter = null;
    try {
      const answer = await ask();
      failures = 0;
      showConnection(null);
      if (answer.done) stopped = true;
      retryAfter = answer.retryAfter;
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      if (stopped) return;
      if ([401, 403, 404].includes(error.status)) {
        stop();
        onFatal(error);
        return;
      }
      failures++;
      retryAfter = error.retryAfter;
      showConnection(error);
    } finally {
      asking = false;
    }
    if (!stopped) timer = setTimeout(turn, 1000 * nextDelay({ failures, retryAfter, hidden: document.hidden }));
    else forget();
  }

  const wake = () => {
    if (!document.hidden) turn();
  };

  function forget() {
    clearTimeout(timer);
    removeEventListener("online", wake);
    document.removeEventListener("visibilitychange", wake);
  }

  function stop() {
    stopped = true;
    forget();
    showConnection(null);
  }

  addEventListener("online", wake);
  document.addEventListener("visibilitychange", wake);
  turn();
  return { stop, now: turn };
}

export function showConnection(error) {
  const line = document.getElementById("connection");
  line.hidden = error === null;
  if (error === null) return;
  const text = !navigator.onLine ? "You are offline. Your work goes on; this page catches up when you are back."
    : error.status === 0 ? "The server cannot be reached. Trying again; accepted work is not lost."
    : `${error.message} Trying again.`;
  setText(line, text);
}
