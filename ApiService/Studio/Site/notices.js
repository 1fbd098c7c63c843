// Says what Studio leaves unsaid: why something was refused where it has no words for that, and what an action on many passed over.
const darkroomNotices = (() => {
  "use strict";

  const longEnoughToRead = 8_000;
  // Studio dies of a refusal a moment after it came.
  const aftermath = 2_000;
  let explainedAt = -Infinity;

  /** Studio shows these refusals itself: a save's everywhere, a retraction's in the editor alone. */
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
    if (!isError) setTimeout(() => notice.remove(), longEnoughToRead);
  }

  const texts = (json) =>
    typeof json === "string" ? [json] : json && typeof json === "object" ? Object.values(json).flatMap(texts) : [];

  /** Looks at an answer of the workflow API on its way to Studio. */
  async function look(method, path, response) {
    if (method === "GET" || !/json/.test(response.headers.get("content-type") ?? "")) return;
    if (response.ok ? !/\/(bulk-actions|cancel)\/|\/workflow-instances\//.test(path) : isShownByStudio(method, path, response.status)) return;
    const answer = await response.clone().json().catch(() => ({}));
    if (response.ok) {
      const refused = (answer.refused ?? []).flatMap((one) => texts(one.errors));
      if (refused.length > 0) show(refused, true);
      else if (answer.message) show([answer.message], false);
      return;
    }

    explainedAt = performance.now();
    const reasons = texts(answer.errors);
    show(reasons.length > 0 ? reasons : [answer.detail ?? answer.title ?? "The server refused this."], true);
  }

  return { look, hasJustExplained: () => performance.now() - explainedAt < aftermath };
})();
