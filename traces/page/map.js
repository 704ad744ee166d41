// The service map: drawn once, then relabelled and marked as the reader chooses. One tab stop; arrow keys go from one
// node or edge to the next, Enter chooses.

import { byId, h, s } from "./dom.js";
import { formatChange, formatDuration, formatRate, shorten } from "./format.js";
import { layOut } from "./layout.js";
import { STATES, stateMark, troubles } from "./states.js";
import { describe, difference, nameOf } from "./words.js";

const NAME_LENGTH = 26;
const RING = 6; // width
const SCALES = [0.15, 4];

/** Draw the map of an index; choosing goes to the store. */
export class ServiceMap {
    #elements = new Map(); // item → g
    #untouched = true; // until the reader pans or zooms, the whole map is kept in sight

    constructor(index, store) {
        this.index = index;
        this.store = store;
        this.layout = layOut(index);
        this.content = s("g");
        this.svg = s(
            "svg",
            {
                role: "group",
                "aria-label": "Service map. Arrow keys move, Enter chooses, Escape lets go.",
                onkeydown: (event) => this.#key(event),
            },
            patterns(),
            this.content,
        );
        this.zoom = d3
            .zoom()
            .scaleExtent(SCALES)
            .filter(isForTheMap)
            .on("zoom", ({ transform, sourceEvent }) => {
                this.content.setAttribute("transform", transform);
                if (sourceEvent) this.#untouched = false;
            });
        d3.select(this.svg).call(this.zoom).on("dblclick.zoom", null);
        this.svg.addEventListener("click", () => store.change({ item: null, range: null }));
        if (!index.nodes.length) byId("map").append(h("p", { class: "empty" }, "No calls in this range of time."));
        for (const item of [...index.edges, ...index.nodes]) this.#draw(item);
        byId("map").append(this.svg);
        byId("map-tools").append(...this.#tools());
        byId("legend").append(...legend(index));
        new ResizeObserver(() => this.#untouched && this.#fit()).observe(byId("map"));
        this.#rove(d3.least(index.nodes, (node) => this.layout.places.get(node).x));
        store.follow((state) => this.#update(state));
    }

    #draw(item) {
        const choose = (event) => {
            event.stopPropagation();
            this.#rove(item);
            this.store.change({ item: this.store.state.item === item ? null : item, range: null });
        };
        const element = s("g", {
            class: item.source ? "edge" : "node",
            role: "button",
            tabindex: "-1",
            onclick: choose,
        });
        this.#elements.set(item, element);
        this.content.append(element);
    }

    #update(state) {
        if (state.item === this.shown?.item && state.set === this.shown.set) return;
        this.shown = state;
        const near = state.item && neighbours(state.item, this.index);
        for (const [item, element] of this.#elements) {
            const drawn = item.source ? this.#edge(item, state.set) : this.#node(item, state.set);
            element.replaceChildren(...drawn);
            element.setAttribute("aria-label", describe(item, this.index, state.set));
            element.setAttribute("aria-pressed", String(item === state.item));
            element.classList.toggle("chosen", item === state.item);
            element.classList.toggle("far", Boolean(near) && !near.has(item));
            element.classList.toggle("absent", !item.sets[state.set]);
            element.classList.toggle("new", difference(item, this.index) === "new");
            element.classList.toggle("lost", difference(item, this.index) === "lost");
        }
    }

    #node(node, set) {
        const { x, y, radius } = this.layout.places.get(node);
        const { statistics } = node.sets[set] ?? {};
        const rate = statistics && statistics.total / this.index.sets[set].minutes;
        const inside =
            node.type === "client"
                ? [s("path", { class: "person", d: "M0,-3a6,6 0 1 0 -.1,0zM-11,13a11,10 0 0 1 22,0z" })]
                : statistics
                  ? [
                        s("text", { class: "big", y: -2 }, formatDuration(statistics.average)),
                        s("text", { class: "small", y: 15 }, formatRate(rate)),
                    ]
                  : [s("text", { class: "small", y: 4 }, "no statistics")];
        const words = [
            s("text", { class: "name", y: radius + 20 }, shorten(nameOf(node), NAME_LENGTH)),
            s("text", { class: "small", y: radius + 35 }, this.#second(node, set)),
            s("text", { class: "small", y: radius + 50 }, this.#changed(node, set)),
        ];
        return [
            s("title", {}, describe(node, this.index, set)),
            s(
                "g",
                { transform: `translate(${x},${y})` },
                s("circle", { class: "halo", r: radius + 7 }),
                s("circle", { class: "disc", r: radius }),
                ring(statistics, radius),
                inside,
                words,
            ),
        ];
    }

    /** The line below the name: what is wrong, or the type. */
    #second(node, set) {
        const marks = troubles(node.sets[set]?.statistics).map(([state, share]) =>
            s("tspan", { class: state }, `${STATES[state].sign} ${share}  `),
        );
        return marks.length ? marks : shorten(node.type === "client" ? "not traced" : node.type, NAME_LENGTH);
    }

    #changed(item, set) {
        const known = difference(item, this.index);
        if (known) return known;
        const [after, before] = item.sets.map((each) => each?.statistics?.average);
        return set === 0 ? formatChange(after, before) : "";
    }

    #edge(edge, set) {
        const { x, y, points } = this.layout.places.get(edge);
        const { statistics } = edge.sets[set] ?? {};
        const rate = statistics ? statistics.total / this.index.sets[set].minutes : 0;
        const path = d3.line().curve(d3.curveBasis)(points);
        const lines = statistics
            ? [`${formatDuration(statistics.average)}`, formatRate(rate)]
            : [difference(edge, this.index) || "not seen"];
        const changed = statistics && this.#changed(edge, set);
        if (changed) lines[0] += ` ${changed}`;
        // Here the greatest share only; the node it leads to, the title and the tables tell all.
        const greatest = troubles(statistics)
            .slice(0, 1)
            .map(([state, share]) => s("tspan", { class: state }, `${STATES[state].sign} ${share}`));
        const width = 16 + 7 * Math.max(...lines.map((line) => line.length));
        if (greatest.length) lines.push(greatest);
        const top = y - (lines.length - 1) * 7 + 4;
        return [
            s("title", {}, describe(edge, this.index, set)),
            s("path", { class: "reach", d: path }),
            s("path", {
                class: "line",
                d: path,
                "stroke-width": 1.5 + Math.min(3.5, Math.log10(1 + rate)),
                "marker-end": "url(#arrow)",
            }),
            s("rect", { class: "pill", x: x - width / 2, y: top - 14, width, height: lines.length * 14 + 6, rx: 8 }),
            ...lines.map((line, number) =>
                s("text", { class: number ? "small" : "speed", x, y: top + number * 14 }, line),
            ),
        ];
    }

    #tools() {
        const tool = (label, sign, act) =>
            h("button", { type: "button", class: "plain", "aria-label": label, title: label, onclick: act }, sign);
        return [
            tool("Zoom in", "+", () => this.#scale(1.3)),
            tool("Zoom out", "−", () => this.#scale(1 / 1.3)),
            tool("Show the whole map", "Fit", () => this.#fit()),
        ];
    }

    #scale(factor) {
        this.#untouched = false;
        d3.select(this.svg).call(this.zoom.scaleBy, factor);
    }

    #fit() {
        const { width, height } = this.svg.getBoundingClientRect();
        if (!width || !this.layout.width) return;
        const scale = Math.min(1.3, width / this.layout.width, height / this.layout.height);
        const transform = d3.zoomIdentity
            .translate((width - this.layout.width * scale) / 2, (height - this.layout.height * scale) / 2)
            .scale(Math.max(SCALES[0], scale));
        d3.select(this.svg).call(this.zoom.transform, transform);
        this.#untouched = true;
    }

    #key(event) {
        const item = [...this.#elements].find(([, element]) => element === event.target)?.[0];
        const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
        if (event.key === "Escape") this.store.change({ item: null, range: null });
        else if (event.key === "+" || event.key === "=") this.#scale(1.3);
        else if (event.key === "-") this.#scale(1 / 1.3);
        else if (event.key === "0") this.#fit();
        else if (item && directions[event.key]) this.#go(item, directions[event.key]);
        else if (item && (event.key === "Enter" || event.key === " "))
            this.#elements.get(item).dispatchEvent(new Event("click"));
        else return;
        event.preventDefault();
    }

    /** Move the focus in a direction: along a call where one leads there, else to what lies nearest. */
    #go(item, direction) {
        const joined = [...neighbours(item, this.index)].filter(
            (other) => Boolean(other.source) !== Boolean(item.source),
        );
        const next = this.#nearest(item, direction, joined) ?? this.#nearest(item, direction, this.#elements.keys());
        if (!next) return;
        this.#rove(next);
        this.#elements.get(next).focus();
        this.#bringIntoSight(next);
    }

    /** Of others, what lies nearest in a direction; ways aside count double. */
    #nearest(item, [right, down], others) {
        const from = this.layout.places.get(item);
        const ways = [...others].map((other) => {
            const { x, y } = this.layout.places.get(other);
            const along = (x - from.x) * right + (y - from.y) * down;
            return { other, along, way: along + 2 * Math.abs((x - from.x) * down + (y - from.y) * right) };
        });
        return d3.least(
            ways.filter(({ along }) => along > 1),
            ({ way }) => way,
        )?.other;
    }

    #rove(item) {
        for (const [other, element] of this.#elements) element.setAttribute("tabindex", other === item ? "0" : "-1");
    }

    #bringIntoSight(item) {
        const { width, height } = this.svg.getBoundingClientRect();
        const { x, y } = this.layout.places.get(item);
        const [seenX, seenY] = d3.zoomTransform(this.svg).apply([x, y]);
        if (seenX < 40 || seenX > width - 40 || seenY < 40 || seenY > height - 40)
            d3.select(this.svg).call(this.zoom.translateTo, x, y);
    }
}

// A wheel over the map scrolls the page, as anywhere; with Ctrl (and as pinches on a touchpad arrive) it zooms.
const isForTheMap = (event) => (event.type === "wheel" ? event.ctrlKey || event.metaKey : !event.button);

function neighbours(item, index) {
    if (item.source) return new Set([item, item.source, item.target]);
    const edges = index.edges.filter((edge) => edge.source === item || edge.target === item);
    return new Set([item, ...edges, ...edges.flatMap((edge) => [edge.source, edge.target])]);
}

/** The shares of the states around a node, with a pattern on each that is not OK. */
function ring(statistics, radius) {
    if (!statistics?.total) return [];
    const arc = d3
        .arc()
        .innerRadius(radius - RING)
        .outerRadius(radius);
    const slices = d3
        .pie()
        .sort(null)
        .value((state) => statistics[state])(Object.keys(STATES));
    return slices
        .filter((slice) => slice.value)
        .flatMap((slice) => [
            s("path", { class: `slice ${slice.data}`, d: arc(slice) }),
            s("path", { class: "slice", fill: `url(#pattern-${slice.data})`, d: arc(slice) }),
        ]);
}

function patterns() {
    const pattern = (state, ...shapes) =>
        s("pattern", { id: `pattern-${state}`, width: 6, height: 6, patternUnits: "userSpaceOnUse" }, shapes);
    return s(
        "defs",
        {},
        s(
            "marker",
            {
                id: "arrow",
                viewBox: "0 0 10 10",
                refX: 5,
                refY: 5,
                markerWidth: 12,
                markerHeight: 12,
                markerUnits: "userSpaceOnUse",
                orient: "auto",
            },
            s("path", { class: "arrow", d: "M0,0L10,5L0,10z" }),
        ),
        pattern("ok"),
        pattern("error", s("path", { class: "hatch", d: "M0,6L6,0" })),
        pattern("throttle", s("circle", { class: "dot", cx: 3, cy: 3, r: 1.2 })),
        pattern("fault", s("path", { class: "hatch", d: "M0,6L6,0M0,0L6,6" })),
    );
}

function legend(index) {
    const entries = Object.keys(STATES).map((state) => h("li", {}, stateMark(state)));
    entries.push(h("li", {}, "size: responses"), h("li", {}, "t/min: traces a minute"));
    if (index.sets.length > 1)
        entries.push(
            h("li", { class: "new" }, "new: dashed, accented"),
            h("li", { class: "lost" }, "lost: dotted, faint"),
        );
    return entries;
}
