// The page from its data: what is above the charts here, each chart and list in a module of its own.

import { readIndex } from "./data.js";
import { byId, h } from "./dom.js";
import { filterBox } from "./filter.js";
import { formatDuration, formatMoment } from "./format.js";
import { Histogram } from "./histogram.js";
import { lists } from "./lists.js";
import { ServiceMap } from "./map.js";
import { mapTables } from "./maptable.js";
import { Store } from "./store.js";
import { traceView } from "./waterfall.js";

function themeButton() {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    let theme = null; // as the system has it, until the reader says otherwise
    const isDark = () => (theme ? theme === "dark" : dark.matches);
    const show = () => (byId("theme").textContent = isDark() ? "☀ Light" : "☾ Dark");
    byId("theme").addEventListener("click", () => {
        theme = isDark() ? "light" : "dark";
        document.documentElement.dataset.theme = theme;
        show();
    });
    dark.addEventListener("change", show);
    show();
}

// Followed as a link it would take the place of what is chosen, which the address holds.
function skipLink() {
    document.querySelector(".skip").addEventListener("click", (event) => {
        event.preventDefault();
        (byId("overview").hidden ? byId("trace-heading") : byId("traces")).focus();
    });
}

function header(index, store) {
    if (index.sets.length > 1) {
        byId("sets").hidden = false;
        byId("sets").append(
            ...[1, 0].map((number) => {
                const radio = h("input", {
                    type: "radio",
                    name: "set",
                    value: number,
                    onchange: () => store.change({ set: number }),
                });
                return h("label", {}, radio, h("span", {}, index.sets[number].title || (number ? "Before" : "After")));
            }),
        );
    }
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    byId("zone").append(
        `Times are those of ${zone}. Ages count back from the end of the range. `,
        "This page is complete in itself: it loads and sends nothing.",
    );
    store.follow((state) => {
        const set = index.sets[state.set];
        byId("title").textContent = `Traces: ${set.title || "all"}`;
        const [start, end] = [set.start, set.end].map((seconds) => formatMoment(seconds * 1000));
        byId("range").textContent = `${start} – ${end} (${formatDuration(set.end - set.start)})`;
        byId("sets")
            .querySelectorAll("input")
            .forEach((radio) => (radio.checked = Number(radio.value) === state.set));
        byId("notes").hidden = !set.notes.length;
        byId("notes").replaceChildren(...set.notes.map((note) => h("li", {}, note)));
    });
}

async function main() {
    themeButton();
    skipLink();
    const index = await readIndex();
    const store = new Store(index);
    header(index, store);
    new ServiceMap(index, store);
    new Histogram(index, store);
    mapTables(index, store);
    filterBox(index, store);
    lists(index, store);
    traceView(index, store);
    document.documentElement.dataset.ready = "";
}

main().catch((error) => {
    byId("problem").hidden = false;
    byId("problem").textContent = `The page can't be shown: ${error.message}. It needs a browser from 2024 or newer.`;
});
