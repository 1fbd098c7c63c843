// Builds DOM elements. Children and attributes are text or nodes, never markup, so user input cannot inject HTML.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (value === true) element.setAttribute(name, "");
    else element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

const svgNamespace = "http://www.w3.org/2000/svg";

const icons = {
  upload: "M12 16V4m0 0L7 9m5-5 5 5M4 16v2a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-2",
  download: "M12 4v12m0 0 5-5m-5 5-5-5M4 18v0a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v0",
  arrow: "M5 12h14m0 0-6-6m6 6-6 6",
  back: "M19 12H5m0 0 6-6m-6 6 6 6",
  image: "M4 6a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2zm0 11 5-5 4 4 2-2 5 5M15 9h.01",
  alert: "M12 8v5m0 3.500h.01M10.300 4.200 2.900 17a2 2 0 0 0 1.700 3h14.800a2 2 0 0 0 1.700-3L13.700 4.200a2 2 0 0 0-3.400 0z",
  clock: "M12 7v5l3 2m6-2a9 9 0 1 1-18 0 9 9 0 0 1 18 0z",
  key: "M20 9a5 5 0 1 1-10 0 5 5 0 0 1 10 0zM11.500 12.500 4 20m3-3 2.500 2.500M15 9h.01",
  check: "M5 12.500 10 17 19 7.500",
  file: "M14 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8zm0 0v5h5M9 13h6M9 17h6",
};

export function icon(name) {
  const svg = document.createElementNS(svgNamespace, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svgNamespace, "path");
  path.setAttribute("d", icons[name]);
  svg.append(path);
  return svg;
}

/** Sets the text only if it differs: a needless write disturbs screen readers and selections. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The URL if it is http or https, otherwise null. */
export function safeUrl(text) {
  try {
    const url = new URL(text, document.baseURI);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

let announcement;

/** Announces something to screen readers, once. */
export function announce(text) {
  clearTimeout(announcement);
  announcement = setTimeout(() => setText(document.getElementById("announcer"), text), 100);
}
