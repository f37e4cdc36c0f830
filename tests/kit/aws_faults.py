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
        fail: how many of the next calls are refused.
        lose: how many of the next calls are done, and their answers lost.
        calls: how many came.
    """

    def __init__(self, port: Any, error: type[Exception]) -> None:
        self._port = port
        self._error = error
        self.is_down = False
        self.fail = 0
        self.lose = 0
        self.calls = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)

        def through(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.is_down:
                raise self._error("down")
            if self.fail:
                self.fail -= 1
                raise self._error("refused")
            answer = method(*args, **kwargs)
            if self.lose:
                self.lose -= 1
                raise self._error("no answer")
            return answer

        return through
