"""The two ways in which moto is mended in place: by something around a method or function, and by more attributes."""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any


def wrap(owner: type | ModuleType, method: str, around: Callable[..., Any]) -> None:
    """Have `around` called in a method's stead, with the method itself as its first argument."""
    original = getattr(owner, method)

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return around(original, *args, **kwargs)

    setattr(owner, method, wrapped)


def add(owner: type, **attributes: object) -> None:
    """Give a class more attributes, or others."""
    for name, value in attributes.items():
        setattr(owner, name, value)
