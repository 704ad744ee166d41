// The traces that match: grouped by URL as in the X-Ray console, and one by one.

import { byId, h, s } from "./dom.js";
import {
    formatAge,
    formatChange,
    formatClock,
    formatCount,
    formatDuration,
    formatExact,
    formatShare,
    shorten,
} from "./format.js";
import { groupsOf, matching } from "./select.js";
import { STATES, stateMark } from "./states.js";
import { Table } from "./table.js";

const URL_LENGTH = 110;

/** Fill both lists; they follow the store as long as the overview is shown. */
export function lists(index, store) {
    const groups = new Table(byId("groups"), {
        caption: "Traces by URL",
        columns: groupColumns(index, store),
        empty: "No trace matches.",
    });
    const list = new Table(byId("list"), {
        caption: "Traces",
        columns: traceColumns(index, store),
        empty: "No trace matches.",
    });
    let shown = "";
    store.follow((state) => {
        // Opening a trace and coming back leaves the lists as they were, page and all.
        const address = store.address({ trace: null });
        if (shown === address) return;
        shown = address;
        const set = index.sets[state.set];
        const traces = matching(set, state, index);
        groups.update(compared(matching(set, state, index, ["url"]), state, index));
        list.update(traces);
        const news = `${formatCount(traces.length)} of ${formatCount(set.traces.length)} traces`;
        byId("traces-heading").textContent = `Traces: ${news}`;
        byId("news").textContent = `${news} shown`;
    });
}

function compared(traces, state, index) {
    const groups = groupsOf(traces);
    if (index.sets.length < 2) return groups;
    const others = new Map(
        groupsOf(matching(index.sets[1 - state.set], state, index, ["url"])).map((group) => [group.url, group]),
    );
    return groups.map((group) => ({ ...group, other: others.get(group.url)?.average ?? 0 }));
}

function groupColumns(index, store) {
    const number = (label, value, format) => ({
        label,
        numeric: true,
        first: "descending",
        value,
        cell: (group) => format(value(group)),
    });
    const count = (label, state) => ({
        ...number(label, (group) => group[state]),
        cell: (group) =>
            group[state] ? stateMark(state, formatCount(group[state])) : h("span", { class: "quiet" }, "0"),
    });
    const choose = (group) =>
        h(
            "button",
            {
                type: "button",
                class: "link url",
                title: group.url,
                "aria-pressed": String(store.state.url === group.url),
                onclick: () => store.change({ url: store.state.url === group.url ? null : group.url }),
            },
            shorten(group.url, URL_LENGTH) || "(no URL)",
        );
    const share = (group) => h("span", { class: "share" }, bar(group.share), h("span", {}, formatShare(group.share)));
    const change = {
        ...number("Compared", (group) => (group.other ? group.average / group.other : 0)),
        cell: (group) =>
            store.state.set === 0
                ? formatChange(group.average, group.other) || "new"
                : group.other
                  ? formatDuration(group.other)
                  : "lost",
    };
    return [
        { label: "URL", value: (group) => group.url, cell: choose },
        number("Average response", (group) => group.average, formatDuration),
        ...(index.sets.length > 1 ? [change] : []),
        { ...number("Share", (group) => group.share), cell: share },
        count("OK", "ok"),
        count("Throttled", "throttle"),
        count("Errors", "error"),
        count("Faults", "fault"),
    ];
}

const bar = (share) =>
    s(
        "svg",
        { class: "bar-of-share", width: 64, height: 8, "aria-hidden": "true" },
        s("rect", { class: "whole", width: 64, height: 8, rx: 4 }),
        s("rect", { class: "part", width: 64 * share, height: 8, rx: 4 }),
    );

function traceColumns(index, store) {
    const end = () => index.sets[store.state.set].end * 1000;
    const text = (label, value, cell = value, rest = {}) => ({ label, value, cell, ...rest });
    const number = (label, value, format) => ({
        label,
        value,
        cell: (trace) => format(value(trace)),
        numeric: true,
        first: "descending",
    });
    const link = (trace) =>
        h(
            "a",
            { href: store.address({ trace: trace.id }), class: "id", "data-trace": trace.id.toWellFormed() },
            trace.id,
        );
    const age = (trace) =>
        h(
            "time",
            { title: formatExact(trace.start), datetime: new Date(trace.start).toISOString() },
            formatClock(trace.start),
            h("span", { class: "quiet" }, `  ${formatAge(end() - trace.start)}`),
        );
    const response = (trace) =>
        h(
            "span",
            {},
            stateMark(trace.state, trace.status ?? STATES[trace.state].label),
            trace.partial ? h("span", { class: "quiet", title: "X-Ray has not received all of it" }, " partial") : null,
        );
    const annotated = (trace) =>
        h(
            "span",
            { title: trace.annotations.map(([name, values]) => `${name} = ${values.join(", ")}`).join("\n") },
            formatCount(trace.annotations.length),
        );
    return [
        text("ID", (trace) => trace.id, link),
        text("Time, age", (trace) => end() - trace.start, age),
        text("Method", (trace) => trace.method),
        text("Response", (trace) => trace.status ?? 0, response),
        number("Response time", (trace) => trace.response, formatDuration),
        text(
            "URL",
            (trace) => trace.url,
            (trace) => h("span", { class: "url", title: trace.url }, shorten(trace.url, URL_LENGTH)),
        ),
        text("Client IP", (trace) => trace.ip),
        text("Annotations", (trace) => trace.annotations.length, annotated, { numeric: true, first: "descending" }),
    ];
}
