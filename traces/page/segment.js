// All that is known of one segment: its times, the parts of its document as tables, the document itself.

import { h } from "./dom.js";
import { formatDuration, formatExact } from "./format.js";

const FIRST = ["http", "annotations", "aws", "cause", "metadata"]; // the parts people look for, in this order
const VALUES = 200; // shown of one part; all are in the document

/** The elements of a panel about a row of the waterfall. */
export function segmentPanel(row, trace) {
    const document = parsed(row.document);
    const facts = [
        ["ID", row.id],
        ["Called by", row.parent || "nobody traced"],
        ["Type", row.type],
        ["Began", formatExact(trace.start + row.offset * 1000)],
        ["After", formatDuration(row.offset)],
        ["Duration", formatDuration(row.duration)],
        ["Request", [row.method, row.url].filter(Boolean).join(" ")],
    ];
    return [
        h("h3", {}, row.name || "(no name)"),
        list(facts.filter(([, value]) => value)),
        ...parts(document).map(([name, values]) => h("section", {}, h("h4", {}, name), list(values.slice(0, VALUES)))),
        h("details", {}, h("summary", {}, "Document"), h("pre", { tabindex: "0" }, row.document)),
    ];
}

/** Null for what only Python takes for JSON, such as infinity; it is still shown as text. */
function parsed(text) {
    try {
        return JSON.parse(text);
    } catch {
        return null;
    }
}

function parts(document) {
    const rank = ([name]) => (FIRST.indexOf(name) + FIRST.length + 1) % (FIRST.length + 1);
    return Object.entries(document ?? {})
        .filter(([, value]) => value !== null && typeof value === "object" && Object.keys(value).length)
        .sort((a, b) => rank(a) - rank(b))
        .map(([name, value]) => [name, flat(value)]);
}

/** Nested values by path: [["request.url", "http://…"], …]. */
function flat(value) {
    const found = [];
    const open = [["", value]];
    while (open.length) {
        const [path, at] = open.pop();
        const below = at !== null && typeof at === "object" ? Object.entries(at) : null;
        if (below) open.push(...below.map(([name, each]) => [path ? `${path}.${name}` : name, each]).reverse());
        else found.push([path, String(at)]);
    }
    return found;
}

const list = (values) =>
    h(
        "dl",
        { class: "values" },
        values.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
    );
