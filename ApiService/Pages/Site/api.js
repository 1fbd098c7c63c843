// The client of the REST API. Every failure becomes an ApiError. Responses with an ETag are cached and revalidated.

const keyName = "darkroom.key";

export const session = {
  get key() {
    return sessionStorage.getItem(keyName);
  },
  set key(value) {
    if (value) sessionStorage.setItem(keyName, value);
    else sessionStorage.removeItem(keyName);
    cache.clear();
  },
};

/** Status 0 means that no response arrived. */
export class ApiError extends Error {
  constructor(status, problem = {}, retryAfter = null) {
    super(problem.detail || problem.title || defaultMessage(status));
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

function defaultMessage(status) {
  if (status === 0) return "The server cannot be reached.";
  if (status === 401) return "The API key was not accepted.";
  if (status === 403) return "This API key is not allowed to do that.";
  if (status === 404) return "Not found, or it belongs to someone else.";
  if (status === 413) return "The file is larger than this server accepts.";
  if (status === 429) return "Too many requests. Please wait a moment.";
  return status >= 500 ? `The server had a problem (${status}). No accepted upload is lost.` : `The server returned ${status}.`;
}

const cache = new Map();
const cacheLimit = 200;

function remember(path, tag, value) {
  cache.delete(path);
  cache.set(path, { tag, value });
  if (cache.size > cacheLimit) cache.delete(cache.keys().next().value);
}

function secondsOf(retryAfter) {
  if (!retryAfter) return null;
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}

async function send(path, options = {}, key = session.key) {
  let response;
  try {
    // no-store: this page does its own revalidation, and the browser's cache would get in its way.
    response = await fetch(path, { ...options, cache: "no-store", credentials: "omit", headers: { Accept: "application/json", Authorization: `Bearer ${key}`, ...options.headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0);
  }
  if (response.ok || response.status === 304) return response;
  throw new ApiError(response.status, await problemOf(response), secondsOf(response.headers.get("Retry-After")));
}

async function problemOf(response) {
  try {
    const problem = await response.json();
    return typeof problem === "object" && problem !== null ? problem : {};
  } catch {
    return {};
  }
}

/** Returns { value, retryAfter, changed }. */
export async function get(path, { signal } = {}) {
  const known = cache.get(path);
  const response = await send(path, { signal, headers: known ? { "If-None-Match": known.tag } : {} });
  const retryAfter = secondsOf(response.headers.get("Retry-After"));
  if (response.status === 304) return { value: known.value, retryAfter, changed: false };
  let value;
  try {
    value = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0);
  }
  const tag = response.headers.get("ETag");
  if (tag) remember(path, tag, value);
  return { value, retryAfter, changed: true };
}

/** This page's URL for a request. */
export const requestAddress = (id) => `?request=${encodeURIComponent(id)}`;

export const requestPath = (id) => `v1/requests/${encodeURIComponent(id)}`;

export async function cancel(id) {
  await send(`${requestPath(id)}/cancel`, { method: "POST" });
}

/** Throws an ApiError if the key is not accepted. */
export async function tryKey(key) {
  await send("v1/requests?limit=1", {}, key);
}

const workflowAccess = new Map();

/** Whether this key can open the workflow editor. Asked once per key; false if the server does not respond. */
export function canOpenWorkflows() {
  const key = session.key;
  if (!workflowAccess.has(key)) workflowAccess.set(key, get("studio/session").then(({ value }) => value.can_read === true, () => false));
  return workflowAccess.get(key);
}

/** Downloads a file with the key and lets the browser save it. */
export async function save(path, fallbackName) {
  const response = await send(path, { headers: { Accept: "text/csv, */*" } });
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = fileNameOf(response.headers.get("Content-Disposition")) ?? fallbackName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function fileNameOf(disposition) {
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition ?? "");
  if (encoded) {
    try {
      return decodeURIComponent(encoded[1]);
    } catch {
      // Ignore a malformed name.
    }
  }
  return /filename="([^"]+)"/i.exec(disposition ?? "")?.[1] ?? /filename=([^";]+)/i.exec(disposition ?? "")?.[1]?.trim() ?? null;
}

/**
 * Uploads a file. Uses XMLHttpRequest because fetch reports no upload progress.
 * The idempotency key goes with the file, so trying again after a lost connection creates no second request.
 */
export function upload({ file, webhookUrl, workflow, idempotencyKey, onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    // Fields come before the file, so that the server has them when it starts to read it.
    if (webhookUrl) form.append("webhook_url", webhookUrl);
    if (workflow) form.append("workflow", workflow);
    form.append("file", asCsv(file), file.name);
    request.open("POST", "v1/requests");
    request.responseType = "text";
    request.setRequestHeader("Authorization", `Bearer ${session.key}`);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Idempotency-Key", idempotencyKey);
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded, event.lengthComputable ? event.total : null));
    request.addEventListener("load", () => {
      const body = parsed(request.responseText);
      if (request.status >= 200 && request.status < 300 && body?.id) resolve(body);
      else reject(new ApiError(request.status, body ?? {}, secondsOf(request.getResponseHeader("Retry-After"))));
    });
    request.addEventListener("error", () => reject(new ApiError(0)));
    request.addEventListener("abort", () => reject(new DOMException("Cancelled", "AbortError")));
    signal?.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

// Where a spreadsheet program is installed, browsers report its type for .csv files. The extension is more reliable.
function asCsv(file) {
  return /\.(csv|tsv|txt)$/i.test(file.name) ? file.slice(0, file.size, "text/csv") : file;
}

function parsed(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

export function newIdempotencyKey() {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
