"""Faults of our own services: in this process, and between real clients and the emulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Gate:
    """A port that answers, or not: it is down, or what was asked is done and the answer lost.

    Args:
        port: what is behind it.
        error: what its callers know as an outage.

    Attributes:
        is_down: nothing is done.
        calls: how many came.
        struck: how often a planned fault happened.
    """

    def __init__(self, port: Any, error: type[Exception]) -> None:
        self._port = port
        self._error = error
        self.is_down = False
        self.calls = 0
        self.struck = 0
        self._planned: dict[int, bool] = {}

    def plan(self, number: int, *, is_done: bool) -> None:
        """Let one of the next calls fail: the first is number 1.

        Args:
            number: which of them.
            is_done: whether what was asked is done all the same, and only the answer lost.
        """
        self._planned[self.calls + number] = is_done

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)

        def through(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.is_down:
                raise self._error("down")
            is_done = self._planned.pop(self.calls, None)
            if is_done is None:
                return method(*args, **kwargs)
            self.struck += 1
            if is_done:
                method(*args, **kwargs)
            raise self._error("no answer" if is_done else "refused")

        return through
