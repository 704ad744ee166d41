// The map as two tables, for those who read rather than look.

import { byId, h } from "./dom.js";
import { formatCount, formatDuration, formatRate } from "./format.js";
import { STATES } from "./states.js";
import { Table } from "./table.js";
import { difference, nameOf } from "./words.js";

/** Fill the section below the map when it is first opened; choosing a row is choosing in the map. */
export function mapTables(index, store) {
    const section = byId("map-table");
    section.addEventListener("toggle", () => draw(section, index, store), { once: true });
}

function draw(section, index, store) {
    const tables = [
        [
            index.nodes,
            new Table(section, {
                caption: "Services",
                columns: columns("Service", index, store),
                empty: "No services.",
            }),
        ],
        [
            index.edges,
            new Table(section, { caption: "Calls", columns: columns("Call", index, store), empty: "No calls." }),
        ],
    ];
    store.follow(() => tables.forEach(([items, table]) => table.update(items)));
}

function columns(label, index, store) {
    const statistics = (item) => item.sets[store.state.set]?.statistics ?? null;
    const number = (heading, value, format) => ({
        label: heading,
        numeric: true,
        first: "descending",
        value: (item) => (statistics(item) ? value(statistics(item)) : -1),
        cell: (item) => (statistics(item) ? format(value(statistics(item))) : "–"),
    });
    const choose = (item) =>
        h(
            "button",
            {
                type: "button",
                class: "link",
                "aria-pressed": String(store.state.item === item),
                onclick: () => store.change({ item: store.state.item === item ? null : item, range: null }),
            },
            nameOf(item),
        );
    const change = {
        label: "Change",
        value: (item) => difference(item, index),
        cell: (item) => difference(item, index),
    };
    return [
        { label, value: nameOf, cell: choose },
        number("Average", (of) => of.average, formatDuration),
        number("A minute", (of) => of.total / index.sets[store.state.set].minutes, formatRate),
        number("Responses", (of) => of.total, formatCount),
        ...Object.keys(STATES).map((state) => number(STATES[state].label, (of) => of[state], formatCount)),
        ...(index.sets.length > 1 ? [change] : []),
    ];
}
