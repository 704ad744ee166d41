// Which traces match what the reader has chosen, and what is to be told of them. Pure: no page, no state of its own.

/** The traces of a set that match; `except` names choices not to look at (such as "range"). */
export function matching(set, state, index, except = []) {
    const looks = (name) => !except.includes(name);
    const tests = [];
    if (looks("item") && state.item) tests.push(touches(state.item, index));
    if (looks("text") && state.text.trim()) tests.push(mentions(state.text));
    if (looks("states") && state.states) tests.push((trace) => state.states.has(trace.state));
    if (looks("url") && state.url !== null) tests.push((trace) => trace.url.toWellFormed() === state.url);
    if (looks("range") && state.range) tests.push(within(state.range, state.item));
    return set.traces.filter((trace) => tests.every((test) => test(trace)));
}

/** Whether a trace went through a node or over an edge: by its segments, or else by the services it names. */
function touches(item, index) {
    const ends = item.source ? [item.source, item.target] : [item];
    return (trace) => {
        if (times(trace, item).length) return true;
        if (item.source && trace.timings) return false; // its segments would have shown the call
        return ends.every((node) => trace.services.includes(node.place) || isCaller(trace, node, index));
    };
}

/** A client has no segments, and X-Ray may not name it: its traces are those that begin at what it calls. */
function isCaller(trace, node, index) {
    if (node.type !== "client") return false;
    const called = (edge) =>
        trace.timings ? times(trace, edge).length > 0 : trace.services.includes(edge.target.place);
    return index.edges.some((edge) => edge.source === node && called(edge));
}

/** Every word has to be in the id, URL, method or status. */
function mentions(text) {
    const words = text.toLowerCase().trim().split(/\s+/);
    return (trace) => {
        const told = `${trace.id} ${trace.method} ${trace.status ?? ""} ${trace.url}`.toLowerCase();
        return words.every((word) => told.includes(word));
    };
}

/** The time a trace took, or, with a node or edge chosen, that this took in it (in some call, of several). */
function within([low, high], item) {
    return (trace) => {
        const taken = item && trace.timings ? times(trace, item) : [trace.response];
        return taken.some((seconds) => seconds >= low && seconds <= high);
    };
}

function times(trace, item) {
    const found = [];
    for (let i = 0; i < (trace.timings?.length ?? 0); i += 2) {
        if (trace.timings[i] === item.place) found.push(trace.timings[i + 1] / 1e6);
    }
    return found;
}

/** Response times of traces as a histogram like those of nodes: sorted by seconds. */
export function histogramOf(traces) {
    return traces.map((trace) => ({ seconds: trace.response, count: 1 })).sort((a, b) => a.seconds - b.seconds);
}

/** The smallest time that so great a share of all stayed within. */
export function percentile(histogram, share) {
    let missing = share * histogram.reduce((sum, bucket) => sum + bucket.count, 0) - 1e-9;
    for (const bucket of histogram) {
        missing -= bucket.count;
        if (missing <= 0) return bucket.seconds;
    }
    return histogram.at(-1).seconds;
}

/** Traces by URL, the most frequent first: { url, total, share, average, ok, error, throttle, fault }. */
export function groupsOf(traces) {
    const groups = new Map();
    for (const trace of traces) {
        if (!groups.has(trace.url))
            groups.set(trace.url, { url: trace.url, total: 0, time: 0, ok: 0, error: 0, throttle: 0, fault: 0 });
        const group = groups.get(trace.url);
        group.total += 1;
        group.time += trace.response;
        group[trace.state] += 1;
    }
    const all = [...groups.values()].map((group) => ({
        ...group,
        average: group.time / group.total,
        share: group.total / traces.length,
    }));
    return all.sort((a, b) => b.total - a.total);
}
