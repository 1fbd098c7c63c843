// Shows why an upload was rejected: each error with its line and column, as a table to work through next to the spreadsheet.

import { h, icon } from "./dom.js";
import { bytes, count, plural, visible } from "./words.js";

export function problemView(error, file) {
  if (typeof error === "string") return simple("Upload failed", error, file);
  const errors = Array.isArray(error.problem.errors) ? error.problem.errors : [];
  if (errors.length > 0) return table(error.problem, errors, file);
  const title = error.status === 0 ? "Connection lost" : error.status === 413 ? "This file is too large" : error.status === 415 ? "This is not a CSV" : error.problem.title || "Upload failed";
  const detail = error.status === 0
    ? "The server did not respond. It may be down, or it rejected the file before the upload finished."
    : error.message === title ? "" : error.message;
  return simple(title, detail, file);
}

function simple(title, detail, file) {
  return h("div", { class: "problem", role: "group" },
    heading(title),
    detail ? h("p", {}, visible(detail, 600)) : null,
    fileLine(file));
}

function table(problem, errors, file) {
  const total = Math.max(problem.total_errors ?? 0, errors.length);
  return h("div", { class: "problem", role: "group" },
    heading(total === 1 ? "One problem in this file" : `${plural(total, "problem")} in this file`),
    h("p", {}, "Nothing was processed. Correct the file and upload it again.", problem.detail ? ` ${visible(problem.detail, 400)}` : ""),
    fileLine(file),
    h("div", { class: "table-frame", tabindex: "0", role: "region", "aria-label": "Problems by line" },
      h("table", { class: "errors" },
        h("thead", {}, h("tr", {}, ["Line", "Column", "Problem", "Value"].map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, errors.map(row)))),
    total > errors.length ? h("p", { class: "muted" }, `The first ${count(errors.length)} of ${count(total)} problems are shown.`) : null);
}

function row({ line, column, code, message, value }) {
  return h("tr", {},
    h("td", { class: "line", "data-label": "Line" }, line === null || line === undefined ? "–" : count(line)),
    h("td", { "data-label": "Column" }, h("bdi", {}, column === null || column === undefined ? "–" : visible(column, 60))),
    h("td", { "data-label": "Problem" }, h("span", {}, visible(message || code, 400)), code ? h("code", { class: "code" }, visible(code, 60)) : null),
    h("td", { "data-label": "Value" }, value === null || value === undefined || value === "" ? h("span", { class: "muted" }, "empty") : h("bdi", { class: "value" }, visible(value, 160))));
}

const heading = (title) => h("h2", { class: "problem-title", tabindex: "-1" }, icon("alert"), visible(title, 120));

const fileLine = (file) => (file ? h("p", { class: "file-name" }, icon("file"), h("bdi", {}, visible(file.name, 80)), h("span", { class: "muted" }, bytes(file.size))) : null);
