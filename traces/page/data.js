// The page's data, out of the blocks that `encode.py` describes.

/** Read the index: { states, nodes, edges, items, sets }; each item has its `place`, edges counting on after nodes. */
export async function readIndex() {
    const index = await unpack("index");
    const nodes = index.nodes.map(([name, type, inSets], place) => ({ place, name, type, sets: inSets.map(nodeOf) }));
    const edges = index.edges.map(([source, target, inSets], number) => ({
        place: nodes.length + number,
        source: nodes[source],
        target: nodes[target],
        sets: inSets.map(edgeOf),
    }));
    const sets = index.sets.map((set, number) => ({
        ...set,
        number,
        minutes: (set.end - set.start) / 60,
        chunk: index.chunk,
        traces: tracesOf(set, index),
    }));
    return { states: index.states, nodes, edges, items: [...nodes, ...edges], sets };
}

function nodeOf(node) {
    return node && { root: Boolean(node[0]), statistics: statisticsOf(node[1]), histogram: histogramOf(node[2]) };
}

function edgeOf(edge) {
    return edge && { statistics: statisticsOf(edge[0]), histogram: histogramOf(edge[1]) };
}

function statisticsOf(numbers) {
    if (!numbers) return null;
    const [ok, error, throttle, fault, total, time] = numbers;
    return { ok, error, throttle, fault, total, average: total ? time / total : 0 };
}

function histogramOf(numbers) {
    const buckets = [];
    for (let i = 0; i < numbers.length; i += 2) buckets.push({ seconds: numbers[i], count: numbers[i + 1] });
    return buckets;
}

/** The list of a set: times in ms since the epoch, durations in seconds. */
function tracesOf(set, { states, texts }) {
    const columns = set.traces;
    return columns.id.map((id, position) => ({
        position,
        id,
        start: set.start * 1000 + columns.start[position],
        duration: columns.duration[position] / 1e6,
        response: columns.response[position] / 1e6,
        state: states[columns.state[position]],
        partial: Boolean(columns.partial[position]),
        method: texts[columns.method[position]],
        url: texts[columns.url[position]],
        status: columns.status[position],
        agent: texts[columns.agent[position]],
        ip: texts[columns.ip[position]],
        services: columns.services[position],
        annotations: columns.annotations[position].map(([name, ...values]) => [texts[name], values]),
        timings: columns.timings[position],
    }));
}

const segments = new Map(); // by name of the block, as promises

/** The segments of a trace of a set: { duration, limitExceeded, rows }, null where the page has none. */
export async function readTrace(set, trace) {
    if (!set.detailed) return null;
    const name = `segments-${set.number}-${Math.floor(trace.position / set.chunk)}`;
    if (!segments.has(name)) segments.set(name, unpack(name));
    const { traces, texts } = await segments.get(name);
    const found = traces[trace.position % set.chunk];
    return (
        found && {
            duration: found[0] / 1e6,
            limitExceeded: Boolean(found[1]),
            rows: found[2].map((row) => rowOf(row, texts)),
        }
    );
}

function rowOf(row, texts) {
    const [depth, id, parent, name, type, offset, duration, state, method, url, status, inferred, document] = row;
    return {
        depth,
        id,
        parent,
        status,
        state,
        document,
        name: texts[name],
        type: texts[type],
        method: texts[method],
        url: texts[url],
        inferred: Boolean(inferred),
        offset: offset / 1e6,
        duration: duration === null ? null : duration / 1e6,
    };
}

async function unpack(name) {
    const packed = Uint8Array.from(atob(document.getElementById(name).textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
}
