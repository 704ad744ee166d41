"""All rows, in the order in which they are measured. A further one is a module beside these and a line here."""

from collections.abc import Mapping

from bench import chain, fleet, flip, preview, reading, segments
from bench.figures import Row

ROWS: Mapping[str, Row] = {
    "segments": segments.measure,
    "reading": reading.measure,
    "chain": chain.measure,
    "preview": preview.measure,
    "flip": flip.measure,
    "fleet": fleet.measure,
}
