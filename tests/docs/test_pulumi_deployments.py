"""docs/pulumi-deployments.md: its loop, with a CLI that notes what it is asked."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "pulumi-deployments.md").read_text(encoding="utf-8")
PULUMI = """\
#!/bin/sh
for word; do case "$word" in ORG/*) stack=$word ;; esac; done
[ "$1" = deployment ] && echo "$stack" >> "$NOTED" && exit
result=succeeded; [ "$stack" = "$FAILS" ] && result=failed
echo "[{\\"result\\": \\"$result\\", \\"environment\\": {\\"git.head\\": \\"0123\\"}}]"
"""


def looped(folder: Path, fails: str = "") -> tuple[int, list[str]]:
    """Exit code of the loop, and the stacks that it deployed; those of a level in any order."""
    (script,) = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)
    python = f'#!/bin/sh\nexec {sys.executable} "$@"\n'
    for name, text in {"pulumi": PULUMI, "git": "#!/bin/sh\necho 0123\n", "python": python}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    env = {"PATH": f"{folder}:/usr/bin:/bin", "NOTED": str(folder / "noted"), "FAILS": fails}
    done = subprocess.run(["bash", "-uc", script], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    return done.returncode, (folder / "noted").read_text().splitlines()


def test_levels_go_one_after_the_other(tmp_path: Path) -> None:
    """The platform first, the frontend last."""
    code, deployed = looped(tmp_path)

    assert code == 0
    assert [deployed[0], set(deployed[1:3]), deployed[3]] == [
        "ORG/prod-platform", {"ORG/prod-crystal", "ORG/prod-nodejs"}, "ORG/prod-frontend"
    ]  # fmt: skip


def test_after_a_failure_the_next_level_is_not_begun(tmp_path: Path) -> None:
    """GIVEN a deployment that fails, which the CLI answers with 0."""
    code, deployed = looped(tmp_path, fails="ORG/prod-nodejs")

    assert (code, len(deployed)) == (1, 3)
