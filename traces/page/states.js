// How a response ended: the console's colours, each with a sign and a word, so that colour alone says nothing.

import { h } from "./dom.js";
import { formatShare } from "./format.js";

export const STATES = {
    ok: { label: "OK", sign: "✓" },
    error: { label: "Error 4xx", sign: "▲" },
    throttle: { label: "Throttled 429", sign: "◆" },
    fault: { label: "Fault 5xx", sign: "✕" },
};

/** The sign and word of a state. */
export function stateMark(state, word = STATES[state].label) {
    return h(
        "span",
        { class: `mark ${state}` },
        h("span", { class: "sign", "aria-hidden": "true" }, STATES[state].sign),
        ` ${word}`,
    );
}

/** The shares that are not OK, the greatest first: [["fault", "2 %"], …]. */
export function troubles(statistics) {
    return ["fault", "throttle", "error"]
        .filter((state) => statistics?.[state])
        .sort((a, b) => statistics[b] - statistics[a])
        .map((state) => [state, formatShare(statistics[state] / statistics.total)]);
}
