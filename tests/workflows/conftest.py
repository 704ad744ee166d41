"""The clone of tests on the real engine, for the workflows' own."""

from tests.engine.conftest import checkout

__all__ = ["checkout"]
