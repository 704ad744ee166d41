"""The workflows that documents show, as a repository that has them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MATRIX = (ROOT / "docs" / "ci-matrix.md").read_text(encoding="utf-8")


def write_matrix(repository: Path) -> Path:
    """Write the two workflows of docs/ci-matrix.md; returns their folder."""
    folder = repository / ".github" / "workflows"
    folder.mkdir(parents=True)
    (repository / ".git").mkdir()  # by which actionlint knows a repository
    for name, text in zip(("fleet.yml", "stack.yml"), re.findall(r"```yaml\n(.*?)```", MATRIX, re.DOTALL), strict=True):
        (folder / name).write_text(text, encoding="utf-8")
    return folder
