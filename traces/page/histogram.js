// How long responses took: share of all over duration. A range dragged on it, or typed below it, filters the traces.

import { byId, h, s } from "./dom.js";
import { formatCount, formatDuration, formatShare } from "./format.js";
import { histogramOf, matching, percentile } from "./select.js";
import { nameOf } from "./words.js";

const LEAST_HEIGHT = 300;
const MARGIN = { top: 52, right: 18, bottom: 34, left: 46 };
const BAR = 7; // px
const PERCENTILES = [
    ["p50", 0.5],
    ["p90", 0.9],
    ["p99", 0.99],
];
const LABELLED = ["1", "3"]; // ticks of a logarithmic axis, by their first digit
const LONG_TAIL = 30; // from so many times the median on, only a logarithmic axis shows both ends

/** The histogram of what is chosen; one update a change, one drawing a change of width. */
export class Histogram {
    constructor(index, store) {
        this.index = index;
        this.store = store;
        this.low = input("From", (value) => this.#typed(value, this.high.value));
        this.high = input("to", (value) => this.#typed(this.low.value, value));
        this.clear = h(
            "button",
            { type: "button", class: "plain", onclick: () => store.change({ range: null }) },
            "All durations",
        );
        byId("window").append(label("From", this.low), label("to", this.high), h("span", {}, "ms"), this.clear);
        byId("window").addEventListener("submit", (event) => event.preventDefault());
        store.follow((state) => this.#update(state));
        new ResizeObserver(() => this.#draw()).observe(byId("histogram"));
    }

    #update(state) {
        this.state = state;
        this.sets = this.index.sets.map((set) => ({
            set,
            buckets: state.item
                ? (state.item.sets[set.number]?.histogram ?? [])
                : histogramOf(matching(set, state, this.index, ["range"])),
        }));
        byId("reading").textContent = reading(state, this.index.sets[state.set]);
        this.low.value = state.range ? millis(state.range[0]) : "";
        this.high.value = state.range ? millis(state.range[1]) : "";
        this.clear.disabled = !state.range;
        this.#draw();
    }

    #draw() {
        const parent = byId("histogram");
        const { clientWidth: width, clientHeight } = parent;
        const bottom = Math.max(LEAST_HEIGHT, clientHeight) - MARGIN.bottom;
        if (!width) return;
        const { buckets } = this.sets[this.state.set];
        const all = this.sets.flatMap((each) => each.buckets);
        if (!all.length) {
            parent.replaceChildren(h("p", { class: "empty" }, "No response times here."));
            return;
        }
        const x = scale(all, buckets, width);
        const binned = this.sets.map((each) => bins(each.buckets, x));
        const top = d3.max(binned.flat(), (bin) => bin.share);
        const y = d3.scaleLinear([0, top * 1.05], [bottom, MARGIN.top]);
        const svg = s("svg", {
            width,
            height: bottom + MARGIN.bottom,
            role: "img",
            "aria-label": told(this.state, buckets),
        });
        svg.append(axisLeft(y, width), axisBottom(x, width, bottom));
        const other = this.sets.length > 1 ? 1 - this.state.set : null;
        svg.append(bars(binned[this.state.set], y));
        if (other !== null) svg.append(outline(binned[other], y, this.sets[other].set.title));
        if (buckets.length) svg.append(marks(buckets, x, bottom));
        svg.append(this.#brush(x, width, bottom));
        parent.replaceChildren(svg);
    }

    #brush(x, width, bottom) {
        const layer = s("g", { class: "brush" });
        const brush = d3.brushX().extent([
            [MARGIN.left, MARGIN.top],
            [width - MARGIN.right, bottom],
        ]);
        const select = d3.select(layer).call(brush);
        if (this.state.range)
            select.call(
                brush.move,
                this.state.range.map((seconds) => clamp(x(seconds), x.range())),
            );
        brush.on("end", ({ selection, sourceEvent }) => {
            if (sourceEvent)
                this.store.change({ range: selection ? selection.map((place) => Math.max(0, x.invert(place))) : null });
        });
        return layer;
    }

    #typed(low, high) {
        if (low === "" && high === "") return this.store.change({ range: null });
        const range = [Number(low) / 1000, high === "" ? Infinity : Number(high) / 1000];
        const possible = range[0] >= 0 && range[0] < range[1];
        this.high.setCustomValidity(possible ? "" : "The range has to end after it begins.");
        if (possible) return this.store.change({ range });
        return this.high.reportValidity();
    }
}

const millis = (seconds) => (seconds === Infinity ? "" : String(Number((seconds * 1000).toPrecision(4))));
const clamp = (value, [low, high]) => Math.min(high, Math.max(low, value));
const label = (text, field) => h("label", {}, text, " ", field);

function input(name, changed) {
    return h("input", {
        type: "number",
        min: "0",
        step: "any",
        inputmode: "decimal",
        "aria-label": `${name} (ms)`,
        onchange: ({ target }) => changed(target.value),
    });
}

function reading({ item }, set) {
    const drag = "Drag across it to filter the traces";
    if (!item) return `All traces, each by its response time. ${drag}.`;
    const what = item.source ? "as the caller saw it, network included" : "the service's own latency";
    const by = set.detailed ? "" : " by their response time, as the page has no segments";
    return `${nameOf(item)}: ${what}. ${drag}${by}.`;
}

function told({ item }, buckets) {
    const total = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
    const marked = total
        ? PERCENTILES.map(([name, share]) => `${name} ${formatDuration(percentile(buckets, share))}`)
        : [];
    return [
        `Response times of ${item ? nameOf(item) : "all traces"}`,
        `${formatCount(total)} responses`,
        ...marked,
    ].join(", ");
}

function scale(all, buckets, width) {
    const sides = [MARGIN.left, width - MARGIN.right];
    const [least, most] = d3.extent(all, (bucket) => bucket.seconds);
    const sorted = [...(buckets.length ? buckets : all)].sort((a, b) => a.seconds - b.seconds);
    if (most > LONG_TAIL * percentile(sorted, 0.5))
        return d3.scaleLog([Math.max(least, most / 1e5, 1e-6) * 0.9, most * 1.1], sides).clamp(true);
    return d3.scaleLinear([0, (most || 1e-3) * 1.03], sides).clamp(true);
}

/** Shares in bins of equal width on the screen: [{ left, right, share }]. */
function bins(buckets, x) {
    const [left, right] = x.range();
    const number = Math.floor((right - left) / BAR);
    const width = (right - left) / number;
    const shares = new Array(number).fill(0);
    const total = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
    for (const { seconds, count } of buckets)
        shares[Math.min(number - 1, Math.floor((x(seconds) - left) / width))] += count / total;
    return shares.map((share, place) => ({ left: left + place * width, right: left + (place + 1) * width, share }));
}

function bars(binned, y) {
    return s(
        "g",
        { class: "bars" },
        binned
            .filter((bin) => bin.share)
            .map((bin) =>
                s("rect", {
                    x: bin.left + 0.5,
                    y: y(bin.share),
                    width: bin.right - bin.left - 1,
                    height: y(0) - y(bin.share),
                    rx: 1,
                }),
            ),
    );
}

function outline(binned, y, title) {
    const corners = binned.flatMap((bin) => [
        [bin.left, y(bin.share)],
        [bin.right, y(bin.share)],
    ]);
    return s(
        "g",
        { class: "outline" },
        s("path", { d: d3.line()(corners) }),
        s("text", { x: binned.at(-1).right, y: MARGIN.top + 4 }, `line: ${title}`),
    );
}

function marks(buckets, x, bottom) {
    return s(
        "g",
        { class: "marks" },
        PERCENTILES.map(([name, share], row) => {
            const seconds = percentile(buckets, share);
            const place = x(seconds);
            const y = 12 + row * 14;
            const end = place > (x.range()[0] + x.range()[1]) / 2;
            return s(
                "g",
                {},
                s("line", { x1: place, x2: place, y1: y + 3, y2: bottom }),
                s(
                    "text",
                    { x: place + (end ? -5 : 5), y: y + 2, "text-anchor": end ? "end" : "start" },
                    s("tspan", { class: "name" }, name),
                    ` ${formatDuration(seconds)}`,
                ),
            );
        }),
    );
}

function axisLeft(y, width) {
    const axis = s("g", { class: "axis rules", transform: `translate(${MARGIN.left},0)` });
    d3.select(axis).call(
        d3
            .axisLeft(y)
            .ticks(5)
            .tickSize(MARGIN.left + MARGIN.right - width)
            .tickFormat(formatShare),
    );
    return axis;
}

function axisBottom(x, width, bottom) {
    const axis = s("g", { class: "axis", transform: `translate(0,${bottom})` });
    const logarithmic = Boolean(x.base);
    const format = logarithmic
        ? (seconds) => (LABELLED.includes(seconds.toExponential(0)[0]) ? formatDuration(seconds) : "")
        : formatDuration;
    d3.select(axis).call(
        d3
            .axisBottom(x)
            .ticks(Math.max(3, width / 90))
            .tickFormat(format),
    );
    if (logarithmic)
        axis.append(s("text", { class: "scale", x: width - MARGIN.right, y: 31, "text-anchor": "end" }, "logarithmic"));
    return axis;
}
