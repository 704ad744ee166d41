// The filter: text, states, and what else is chosen, each with a way to let go of it.

import { byId, h } from "./dom.js";
import { formatCount, formatDuration, shorten } from "./format.js";
import { matching } from "./select.js";
import { STATES, stateMark } from "./states.js";
import { nameOf } from "./words.js";

/** Fill the filter's card; it follows the store. */
export function filterBox(index, store) {
    const text = h("input", {
        type: "search",
        id: "text",
        placeholder: "URL, ID, status or method",
        autocomplete: "off",
        spellcheck: "false",
        oninput: ({ target }) => store.change({ text: target.value }, { passing: true }),
    });
    const boxes = Object.keys(STATES).map((state) => checkbox(state, store));
    byId("filter").append(
        h("label", { for: "text" }, "Filter traces"),
        text,
        h(
            "div",
            { class: "states", role: "group", "aria-label": "States to show" },
            boxes.map((each) => each.label),
        ),
    );
    store.follow((state) => {
        if (text.value !== state.text) text.value = state.text;
        const counts = Object.groupBy(
            matching(index.sets[state.set], state, index, ["states"]),
            (trace) => trace.state,
        );
        boxes.forEach((each) => {
            each.box.checked = !state.states || state.states.has(each.state);
            each.count.textContent = formatCount(counts[each.state]?.length ?? 0);
        });
        byId("chosen").replaceChildren(...chosen(state, store));
    });
}

function checkbox(state, store) {
    const toggle = () => {
        const states = new Set(store.state.states ?? Object.keys(STATES));
        if (!states.delete(state)) states.add(state);
        store.change({ states: states.size === Object.keys(STATES).length ? null : states });
    };
    const box = h("input", { type: "checkbox", onchange: toggle });
    const count = h("span", { class: "count" });
    return { state, box, count, label: h("label", { class: "chip" }, box, stateMark(state), " ", count) };
}

function chosen({ item, range, url }, store) {
    const chips = [];
    const letGo = (change) => {
        store.change(change);
        (byId("chosen").querySelector("button") ?? byId("text")).focus();
    };
    const chip = (words, change) =>
        chips.push(
            h(
                "button",
                { type: "button", class: "chip", "aria-label": `Remove ${words}`, onclick: () => letGo(change) },
                `${words} ×`,
            ),
        );
    if (item) chip(`${item.source ? "Call" : "Service"}: ${shorten(nameOf(item), 80)}`, { item: null, range: null });
    if (range)
        chip(
            range[1] === Infinity
                ? `${formatDuration(range[0])} or more`
                : `${formatDuration(range[0])} to ${formatDuration(range[1])}`,
            { range: null },
        );
    if (url !== null) chip(`URL: ${shorten(url, 80)}`, { url: null });
    if (chips.length > 1) chip("all of these", { item: null, range: null, url: null });
    return chips;
}
