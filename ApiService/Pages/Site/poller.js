// Polls at the interval the server asks for, more slowly after failures or in a hidden tab, and immediately when the tab is shown or comes back online.

import { ApiError } from "./api.js";
import { setText } from "./dom.js";

const defaultSeconds = 2;
const hiddenSeconds = 30;
const longestBackOffSeconds = 30;

/** Seconds until the next poll. */
export function nextDelay({ failures, retryAfter, hidden }) {
  const interval = Math.max(retryAfter ?? defaultSeconds, 0.5);
  const wait = failures > 0 ? Math.max(interval, Math.min(longestBackOffSeconds, 2 ** failures)) : interval;
  return hidden ? Math.max(wait, hiddenSeconds) : wait;
}

/**
 * Calls load() until it returns { done: true } or stop() is called. load() may return { retryAfter }.
 * onFatal gets the errors that polling again cannot fix (401, 403, 404).
 */
export function poll(load, onFatal) {
  let timer;
  let failures = 0;
  let stopped = false;
  let loading = false;

  async function run() {
    if (stopped || loading) return;
    clearTimeout(timer);
    loading = true;
    let retryAfter = null;
    try {
      const result = await load();
      failures = 0;
      showConnection(null);
      if (result.done) stopped = true;
      retryAfter = result.retryAfter;
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
      loading = false;
    }
    if (!stopped) timer = setTimeout(run, 1000 * nextDelay({ failures, retryAfter, hidden: document.hidden }));
    else cleanUp();
  }

  const wake = () => {
    if (!document.hidden) run();
  };

  function cleanUp() {
    clearTimeout(timer);
    removeEventListener("online", wake);
    document.removeEventListener("visibilitychange", wake);
  }

  function stop() {
    stopped = true;
    cleanUp();
    showConnection(null);
  }

  addEventListener("online", wake);
  document.addEventListener("visibilitychange", wake);
  run();
  return { stop, now: run };
}

export function showConnection(error) {
  const line = document.getElementById("connection");
  line.hidden = error === null;
  if (error === null) return;
  const text = !navigator.onLine ? "You are offline. Your requests keep running; this page updates when you are back online."
    : error.status === 0 ? "The server cannot be reached. Trying again; no accepted upload is lost."
    : `${error.message} Trying again.`;
  setText(line, text);
}
