"""A program that its engine left behind is cleared away in silence, and nothing else is."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from automation import abandoned


async def run_in_stack() -> None:
    pass


async def another() -> None:
    pass


def test_only_abandoned_programs_are_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for twice, as for once."""
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    abandoned.silence()
    abandoned.silence()
    hook: Callable[[Any], None] = sys.unraisablehook
    for program in (run_in_stack, another):
        hook(SimpleNamespace(object=program))
    assert [unraisable.object for unraisable in told] == [another]
