// One trace: its segments one below the other, each where it lies in time, and all that is known of the chosen one.

import { byId, h } from "./dom.js";
import { formatCount, formatDuration, formatExact, shorten } from "./format.js";
import { readTrace } from "./data.js";
import { segmentPanel } from "./segment.js";
import { STATES, stateMark } from "./states.js";

const ROWS = 300; // segments drawn at once
const INDENT = 14; // px
const DEEPEST = 14; // deeper segments are not indented further

/** Show the trace in the address in place of the overview, and the overview again without one. */
export function traceView(index, store) {
    let shown = null;
    let scrolled = 0;
    store.follow(async (state) => {
        if (state.trace === shown) return;
        const left = shown;
        if (shown === null) scrolled = scrollY;
        shown = state.trace;
        byId("overview").hidden = shown !== null;
        byId("trace").hidden = shown === null;
        if (shown === null) return back(left, scrolled);
        const [set, trace] = find(index, state);
        byId("trace").replaceChildren(
            ...heading(store, trace, shown),
            h("p", { class: "quiet" }, trace ? "Reading the segments …" : "The page has no trace of this ID."),
        );
        byId("trace-heading").focus();
        scrollTo(0, 0);
        if (!trace) return undefined;
        const details = await readTrace(set, trace);
        if (shown === state.trace)
            byId("trace").replaceChildren(...heading(store, trace, shown), ...body(set, trace, details));
        return byId("trace-heading").focus();
    });
}

function find(index, state) {
    const [first, ...others] = [index.sets[state.set], ...index.sets];
    const set = [first, ...others].find((each) => each.traces.some((trace) => trace.id.toWellFormed() === state.trace));
    return [set, set?.traces.find((trace) => trace.id.toWellFormed() === state.trace)];
}

function back(id, scrolled) {
    scrollTo(0, scrolled);
    document.querySelector(`a[data-trace="${CSS.escape(id)}"]`)?.focus({ preventScroll: true });
}

function heading(store, trace, id) {
    const close = h(
        "button",
        { type: "button", class: "plain", onclick: () => store.change({ trace: null }) },
        "← All traces",
    );
    const title = h("h2", { id: "trace-heading", tabindex: "-1" }, "Trace ", h("code", {}, shorten(id, 80)));
    if (!trace) return [close, title];
    const facts = [
        ["Response", stateMark(trace.state, trace.status ?? STATES[trace.state].label)],
        ["Response time", formatDuration(trace.response)],
        ["Duration", formatDuration(trace.duration)],
        ["Began", formatExact(trace.start)],
        ["Request", h("span", { class: "url" }, `${trace.method} ${trace.url}`)],
        ["Client", trace.ip],
        ["User agent", trace.agent],
    ];
    const told = facts
        .filter(([, value]) => value !== "")
        .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)));
    return [close, title, h("dl", { class: "facts" }, told)];
}

function body(set, trace, details) {
    if (!details?.rows.length)
        return [
            h("p", { class: "empty" }, "The segments of this trace were not collected; above is what the list tells."),
        ];
    const panel = h("aside", { class: "panel", "aria-label": "Segment" });
    const length = Math.max(
        1e-6,
        d3.max(details.rows, (row) => row.offset + (row.duration ?? 0)),
    );
    const notes = details.limitExceeded
        ? [h("p", { class: "problem" }, "X-Ray dropped segments of this trace: it was too large.")]
        : [];
    return [...notes, h("div", { class: "split" }, waterfall(details.rows, length, trace, panel), panel)];
}

function waterfall(rows, length, trace, panel) {
    const list = h("tbody");
    const buttons = [];
    const choose = (row, position) => {
        buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(at === position)));
        panel.replaceChildren(...segmentPanel(row, trace));
    };
    const more = h("button", { type: "button", class: "plain", onclick: () => show() });
    const show = () => {
        const first = buttons.length;
        rows.slice(first, first + ROWS).forEach((row, number) => {
            const button = h(
                "button",
                { type: "button", class: "link", "aria-pressed": "false", onclick: () => choose(row, first + number) },
                shorten(row.name || "(no name)", 60),
            );
            buttons.push(button);
            list.append(segmentRow(row, length, button));
        });
        more.hidden = buttons.length >= rows.length;
        more.textContent = `Show more of ${formatCount(rows.length)} segments`;
        buttons[first].focus({ preventScroll: true });
    };
    list.addEventListener("keydown", (event) => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        const next = step && buttons[buttons.indexOf(event.target) + step];
        if (!next) return;
        event.preventDefault();
        next.focus();
        next.click();
    });
    show();
    choose(rows[0], 0);
    const head = h(
        "tr",
        {},
        h("th", { scope: "col" }, "Segment"),
        h("th", { scope: "col" }, "Response"),
        h("th", { scope: "col", class: "number" }, "Duration"),
        h("th", { scope: "col", class: "timeline" }, ruler(length)),
    );
    const table = h(
        "table",
        { class: "waterfall" },
        h("caption", { class: "unseen" }, "Segments; arrow keys go from one to the next"),
        h("thead", {}, head),
        list,
    );
    return h("div", { class: "scroll" }, table, more);
}

function segmentRow(row, length, button) {
    const state = stateName(row);
    const width = Math.max(0.2, (100 * (row.duration ?? length - row.offset)) / length);
    const bar = h("span", {
        class: `bar-of-time ${state} ${row.duration === null ? "open" : ""}`,
        style: { left: `${Math.min(99.8, (100 * row.offset) / length)}%`, width: `${width}%` },
    });
    const told = `begins after ${formatDuration(row.offset)}`;
    return h(
        "tr",
        { onclick: (event) => event.target !== button && button.click() },
        h(
            "td",
            { style: { "padding-left": `${8 + INDENT * Math.min(DEEPEST, row.depth)}px` } },
            button,
            h("span", { class: "quiet type" }, row.inferred ? "inferred" : shorten(row.type, 40)),
        ),
        h("td", {}, stateMark(state, row.status ?? STATES[state].label)),
        h("td", { class: "number" }, formatDuration(row.duration)),
        h(
            "td",
            { class: "timeline", title: told },
            h("span", { class: "track" }, bar),
            h("span", { class: "unseen" }, told),
        ),
    );
}

const stateName = (row) => Object.keys(STATES)[row.state];

function ruler(length) {
    const ticks = d3
        .scaleLinear([0, length], [0, 100])
        .ticks(5)
        .filter((tick) => tick < length * 0.9);
    return h(
        "span",
        { class: "ruler" },
        ticks.map((tick) => h("span", { style: { left: `${(100 * tick) / length}%` } }, formatDuration(tick))),
    );
}
