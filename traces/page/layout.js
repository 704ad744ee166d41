// Where the nodes and edges of the service map go. dagre ranks them from callers on the left to called on the right.

const RADIUS = { least: 42, most: 58, client: 26 };
const LABEL = { one: 46, two: 60 }; // height of the words below a circle; a comparison has a line more
const EDGE_LABEL = { one: { width: 84, height: 50 }, two: { width: 118, height: 50 } };
const LOOP = 66; // height of a call of its own, above the circle

/** Positions, the same for all sets: { places, width, height }; places by item: { x, y } with radius or points. */
export function layOut(index) {
    const graph = new dagre.graphlib.Graph({ multigraph: true });
    graph.setGraph({ rankdir: "LR", nodesep: 20, edgesep: 20, ranksep: 34, marginx: 12, marginy: 8 });
    const sets = index.sets.length > 1 ? "two" : "one";
    const most = Math.max(1, ...index.nodes.flatMap((node) => node.sets.map((set) => set?.statistics?.total ?? 0)));
    for (const node of index.nodes) {
        const radius = radiusOf(node, most);
        const beside = index.edges.some((edge) => edge.source === node && edge.target === node) ? LOOP : LABEL[sets];
        graph.setNode(String(node.place), { width: Math.max(2 * radius, 130), height: 2 * (radius + beside), radius });
    }
    const between = index.edges.filter((edge) => edge.source !== edge.target);
    for (const edge of between) {
        const label = { ...EDGE_LABEL[sets], labelpos: "c" };
        graph.setEdge(String(edge.source.place), String(edge.target.place), label, String(edge.place));
    }
    dagre.layout(graph);
    const places = new Map(index.nodes.map((node) => [node, graph.node(String(node.place))]));
    for (const edge of index.edges) {
        const [source, target] = [places.get(edge.source), places.get(edge.target)];
        const laid = graph.edge(String(edge.source.place), String(edge.target.place), String(edge.place));
        places.set(edge, laid ? { x: laid.x, y: laid.y, points: fromRimToRim(laid, source, target) } : loop(source));
    }
    const { width, height } = graph.graph();
    return { places, width: finite(width), height: finite(height) };
}

function radiusOf(node, most) {
    if (node.type === "client") return RADIUS.client;
    const total = Math.max(0, ...node.sets.map((set) => set?.statistics?.total ?? 0));
    return RADIUS.least + (RADIUS.most - RADIUS.least) * Math.sqrt(total / most);
}

/** A service that calls itself: out of the circle at the top, and back into it. */
function loop({ x, y, radius }) {
    const [side, top] = [radius * 0.5, y - radius * 0.95];
    const points = [
        [x - side, top],
        [x - side - 22, top - 34],
        [x, top - 58],
        [x + side + 22, top - 34],
        [x + side + 3, top - 6],
    ];
    return { x, y: top - 42, points };
}

// dagre ends edges at the boxes it was given; here they end at the circles within.
function fromRimToRim(laid, source, target) {
    const inner = laid.points.slice(1, -1).map(({ x, y }) => [x, y]);
    return [rim(source, inner[0]), ...inner, rim(target, inner.at(-1), 7)];
}

function rim({ x, y, radius }, [towardX, towardY], gap = 2) {
    const distance = Math.hypot(towardX - x, towardY - y) || 1;
    const part = (radius + gap + 4) / distance;
    return [x + (towardX - x) * part, y + (towardY - y) * part];
}

const finite = (length) => (Number.isFinite(length) ? length : 0); // dagre says -Infinity of an empty graph
