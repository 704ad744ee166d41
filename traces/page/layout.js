// Where the nodes and edges of the service map go. dagre ranks them from callers on the left to called on the right.

const RADIUS = { least: 34, most: 54, client: 26 };
export const LABEL = 46; // height of the words below a circle
const EDGE_LABEL = { width: 96, height: 36 };

/** Positions for what is in any of the sets: Map of item to { x, y, radius } or { points, x, y }; both maps lie alike. */
export function layOut(index) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 24, edgesep: 24, ranksep: 46, marginx: 24, marginy: 24 });
  const most = Math.max(1, ...index.nodes.flatMap((node) => node.sets.map((set) => set?.statistics?.total ?? 0)));
  for (const node of index.nodes) {
    const radius = radiusOf(node, most);
    graph.setNode(String(node.place), { width: Math.max(2 * radius, 150), height: 2 * (radius + LABEL), radius });
  }
  for (const edge of index.edges) {
    const label = { ...EDGE_LABEL, labelpos: "c" };
    graph.setEdge(String(edge.source.place), String(edge.target.place), label, String(edge.place));
  }
  dagre.layout(graph);
  const places = new Map(index.nodes.map((node) => [node, graph.node(String(node.place))]));
  for (const edge of index.edges) {
    const laid = graph.edge(String(edge.source.place), String(edge.target.place), String(edge.place));
    places.set(edge, { x: laid.x, y: laid.y, points: fromRimToRim(laid, places.get(edge.source), places.get(edge.target)) });
  }
  const { width, height } = graph.graph();
  return { places, width: finite(width), height: finite(height) };
}

function radiusOf(node, most) {
  if (node.type === "client") return RADIUS.client;
  const total = Math.max(0, ...node.sets.map((set) => set?.statistics?.total ?? 0));
  return RADIUS.least + (RADIUS.most - RADIUS.least) * Math.sqrt(total / most);
}

// dagre ends edges at the boxes it was given; here they end at the circles within. A call of its own leads around.
function fromRimToRim(laid, source, target) {
  if (source === target) {
    const { x, y, radius } = source;
    laid.x = x + radius + 66;
    laid.y = y;
    const [near, far] = [radius * 0.7, radius + 22];
    return [[x + near, y - near], [x + far, y - radius * 0.9], [x + far + 14, y], [x + far, y + radius * 0.9], [x + near + 4, y + near + 4]];
  }
  const inner = laid.points.slice(1, -1).map(({ x, y }) => [x, y]);
  return [rim(source, inner[0]), ...inner, rim(target, inner.at(-1), 7)];
}

function rim({ x, y, radius }, [towardX, towardY], gap = 2) {
  const distance = Math.hypot(towardX - x, towardY - y) || 1;
  const part = (radius + gap + 4) / distance;
  return [x + (towardX - x) * part, y + (towardY - y) * part];
}

const finite = (length) => (Number.isFinite(length) ? length : 0); // dagre says -Infinity of an empty graph
