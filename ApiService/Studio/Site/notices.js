// Shows what Studio does not: why the server rejected something, and which items a bulk action skipped.
const darkroomNotices = (() => {
  "use strict";

  const noticeMilliseconds = 8_000;
  // Studio shows its crash message up to this long after a rejected call.
  const crashMilliseconds = 2_000;
  let explainedAt = -Infinity;

  /** Studio shows some errors itself: those of saving everywhere, those of retracting only in the editor. */
  const isShownByStudio = (method, path, status) =>
    method === "POST" && status === 400
    && (/\/workflow-definitions$/.test(path) || (/\/retract$/.test(path) && /\/edit\/?$/.test(location.pathname)));

  function show(messages, isError) {
    const notice = document.createElement("div");
    notice.className = isError ? "dr-notice dr-notice-error" : "dr-notice";
    notice.setAttribute("role", isError ? "alert" : "status");
    const words = notice.appendChild(document.createElement("div"));
    for (const message of new Set(messages)) words.appendChild(document.createElement("p")).textContent = message;
    const close = notice.appendChild(document.createElement("button"));
    close.type = "button";
    close.textContent = "Close";
    close.addEventListener("click", () => notice.remove());
    document.getElementById("dr-notices").replaceChildren(notice);
    if (!isError) setTimeout(() => notice.remove(), noticeMilliseconds);
  }

  const texts = (json) =>
    typeof json === "string" ? [json] : json && typeof json === "object" ? Object.values(json).flatMap(texts) : [];

  /** Checks a response of the workflow API on its way to Studio. */
  async function inspect(method, path, response) {
    if (method === "GET" || !/json/.test(response.headers.get("content-type") ?? "")) return;
    if (response.ok ? !/\/(bulk-actions|cancel)\/|\/workflow-instances\//.test(path) : isShownByStudio(method, path, response.status)) return;
    const body = await response.clone().json().catch(() => ({}));
    if (response.ok) {
      const refused = (body.refused ?? []).flatMap((one) => texts(one.errors));
      if (refused.length > 0) show(refused, true);
      else if (body.message) show([body.message], false);
      return;
    }

    explainedAt = performance.now();
    const reasons = texts(body.errors);
    show(reasons.length > 0 ? reasons : [body.detail ?? body.title ?? "The server rejected this."], true);
  }

  return { inspect, hasJustExplained: () => performance.now() - explainedAt < crashMilliseconds };
})();
