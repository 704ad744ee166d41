"""What starts a policy pack where the CLI came without."""

import subprocess
from pathlib import Path

from pulumicli import language_files

ECHO = """\
#!/bin/sh
[ "$1" = -c ] || echo "$0 $*"
"""


def test_the_packs_own_virtualenv_runs_it(tmp_path: Path) -> None:
    """GIVEN a pack whose options name a virtualenv THEN that runs the pack; the option itself is not passed on."""
    language_files.lay_beside(tmp_path / "pulumi")
    python, pack = tmp_path / "env" / "bin" / "python", tmp_path / "pack"
    python.parent.mkdir(parents=True)
    python.write_text(ECHO)
    python.chmod(0o755)
    pack.mkdir()
    starter = [str(tmp_path / language_files.POLICY_STARTER), "127.0.0.1:4000", ".", "-virtualenv=../env"]
    ended = subprocess.run(starter, cwd=pack, capture_output=True, text=True, check=True)
    assert ended.stdout == f"{pack}/../env/bin/python -u -m pulumi.policy 127.0.0.1:4000 .\n"
