"""--wave: a few stacks first, and the others only once those are proved."""

import math
from collections.abc import Sequence
from typing import TypeVar

import click

_T = TypeVar("_T")

REST = "rest"


def sizes(text: str, total: int) -> list[int]:
    """How many of `total` stacks are in each wave of ``1,10%,rest``; per cent are of all, rounded up; none is empty.

    Raises `ValueError` for what is no such list.
    """
    *first, last = [word.strip() for word in text.split(",")]
    if last != REST:
        raise ValueError(f"the last wave must be '{REST}', not '{last}'")
    left, found = total, []
    for word in first:
        found.append(min(left, _size(word, total)))
        left -= found[-1]
    return [size for size in [*found, left] if size]


def divide(rows: Sequence[_T], text: str) -> list[Sequence[_T]]:
    """The rows in waves, in their own order: prerequisites come first. One wave where `text` is empty."""
    if not text:
        return [rows]
    waves, begin = [], 0
    for size in sizes(text, len(rows)):
        waves.append(rows[begin : begin + size])
        begin += size
    return waves


def checked(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    """The option's value, refused where it is no list of waves."""
    try:
        divide((), text)
    except ValueError as error:
        raise click.BadParameter(f"{error}, as in 1,10%,{REST}") from error
    return text


def _size(word: str, total: int) -> int:
    number = word.removesuffix("%")
    if not (number.isascii() and number.isdigit()) or int(number) == 0 or (number != word and int(number) > 100):  # noqa: PLR2004 - per cent
        raise ValueError(f"'{word}' is neither a number of stacks nor a percentage of them")
    return int(number) if number == word else math.ceil(total * int(number) / 100)
