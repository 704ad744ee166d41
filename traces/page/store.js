// What the reader has chosen, kept in the address (after #), so that links and the back button find it again. Addresses
// hold no half characters (lone surrogates): what is compared with the state is compared in its well-formed form.

const NOTHING = { set: 0, item: null, range: null, text: "", states: null, url: null, trace: null };

/** The state of the page and who follows it. */
export class Store {
    #followers = [];

    constructor(index) {
        this.index = index;
        this.state = this.#read();
        addEventListener("hashchange", () => this.#changed());
        addEventListener("popstate", () => this.#changed());
    }

    /** Call `follower(state)` now and after each change. */
    follow(follower) {
        this.#followers.push(follower);
        follower(this.state);
    }

    /** Change what `change` names: a step to go back to with the back button, unless it is `passing`, as typing is. */
    change(change, { passing = false } = {}) {
        const address = this.address(change);
        if (address === location.hash) return;
        history[passing ? "replaceState" : "pushState"](null, "", address);
        this.#changed();
    }

    /** The address of the present state with a change. */
    address(change) {
        const state = { ...this.state, ...change };
        const parts = new URLSearchParams();
        if (state.trace !== null) parts.set("trace", state.trace);
        if (state.set) parts.set("set", "before");
        if (state.item) parts.set(...this.#named(state.item));
        if (state.range) parts.set("range", state.range.map(secondsOf).join("-"));
        if (state.text) parts.set("text", state.text);
        if (state.states) parts.set("states", [...state.states].join(","));
        if (state.url !== null) parts.set("url", state.url);
        return `#${parts}`;
    }

    #named(item) {
        const nodes = this.index.nodes.length;
        return item.source ? ["edge", item.place - nodes] : ["node", item.place];
    }

    #read() {
        const parts = new URLSearchParams(location.hash.slice(1));
        const { nodes, edges, sets, states } = this.index;
        const range =
            parts
                .get("range")
                ?.split("-")
                .map((text) => (text ? Number(text) : Infinity)) ?? [];
        return {
            ...NOTHING,
            trace: parts.get("trace"),
            set: parts.get("set") === "before" && sets.length > 1 ? 1 : 0,
            item: (parts.has("node") ? nodes[parts.get("node")] : edges[parts.get("edge")]) ?? null,
            range: range.length === 2 && range[0] < range[1] ? range : null,
            text: parts.get("text") ?? "",
            states: parts.has("states")
                ? new Set(states.filter((state) => parts.get("states").split(",").includes(state)))
                : null,
            url: parts.get("url"),
        };
    }

    #changed() {
        this.state = this.#read();
        this.#followers.forEach((follower) => follower(this.state));
    }
}

const secondsOf = (number) => (number === Infinity ? "" : Number(number.toPrecision(6)));
