// Names and sentences about the map's nodes and edges.

import { formatCount, formatDuration, formatRate } from "./format.js";
import { STATES, troubles } from "./states.js";

/** What a node or edge is called. */
export function nameOf(item) {
    if (item.source) return `${nameOf(item.source)} → ${nameOf(item.target)}`;
    return item.type === "client" ? "Client" : item.name || "(no name)";
}

/** "new" or "lost" where only one of two sets has it, else "". */
export function difference(item, index) {
    if (index.sets.length < 2 || (item.sets[0] && item.sets[1])) return "";
    return item.sets[0] ? "new" : "lost";
}

/** All that the map shows of a node or edge, as one sentence. */
export function describe(item, index, set) {
    const { statistics } = item.sets[set] ?? {};
    const parts = [item.type === "client" ? `Client of ${item.name}` : nameOf(item)];
    if (item.type && item.type !== "client") parts[0] += ` (${item.type})`;
    if (difference(item, index)) parts.push(difference(item, index));
    if (statistics) {
        parts.push(
            `average ${formatDuration(statistics.average)}`,
            formatRate(statistics.total / index.sets[set].minutes),
            `${formatCount(statistics.total)} responses`,
        );
        parts.push(...troubles(statistics).map(([state, share]) => `${share} ${STATES[state].label}`));
    }
    return parts.join(", ");
}
