"""How hard a sandbox is driven, at once and in a minute, and a host's limits of both.

What is refused here never reaches the sandbox. The control routes are not counted, and
``GET /_sandbox/load`` shows what was.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from starlette.responses import JSONResponse, Response

from sandbox.faults import App, Receive, Scope, Send

MINUTE = timedelta(minutes=1)


class Load:
    """ASGI middleware that counts calls, and refuses those above a limit with 429.

    Args:
        app: the sandbox, its faults included: a call that is made slow goes on for as long.
        clock: gives the time, by which a minute is a minute.
        most_parallel: calls at once the host bears; None for any number.
        most_per_minute: calls in any minute the host bears; None for any number.

    Attributes:
        peak_parallel: the most calls that were under way at once, refused ones included.
        peak_per_minute: the most calls that came within a minute, refused ones included.
        refused: how many were.
    """

    def __init__(
        self,
        app: App,
        clock: Callable[[], datetime],
        most_parallel: int | None = None,
        most_per_minute: int | None = None,
    ) -> None:
        self.app = app
        self.most_parallel = most_parallel
        self.most_per_minute = most_per_minute
        self._clock = clock
        # In a process with its clients, every call may have a thread of its own.
        self._lock = threading.Lock()
        self._under_way = 0
        self.clear()

    def clear(self) -> None:
        """Forget what was counted."""
        self.peak_parallel = self.peak_per_minute = self.refused = 0
        self._came: deque[datetime] = deque()
        self._served: deque[datetime] = deque()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the call and pass it on, or refuse it."""
        line = (scope.get("method"), scope["path"]) if scope["type"] == "http" else ()
        if line == ("GET", "/_sandbox/load"):
            counted = ("peak_parallel", "peak_per_minute", "refused")
            shown = JSONResponse({name: getattr(self, name) for name in counted})
            await shown(scope, receive, send)
            return
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self.app(scope, receive, send)
            return
        with self._lock:
            pause = self._enter()
        try:
            if pause is None:
                await self.app(scope, receive, send)
            else:
                text = "<html><head><title>429 Too Many Requests</title></head></html>"
                answer = Response(text, 429, {"Retry-After": str(pause)}, "text/html")
                await answer(scope, receive, send)
        finally:
            with self._lock:
                self._under_way -= 1

    def _enter(self) -> int | None:
        """Count one call; gives the seconds it should wait where it is one too many."""
        now = self._clock()
        self._under_way += 1
        self.peak_parallel = max(self.peak_parallel, self._under_way)
        for times in (self._came, self._served):
            while times and times[0] <= now - MINUTE:
                times.popleft()
        self._came.append(now)
        self.peak_per_minute = max(self.peak_per_minute, len(self._came))
        pause: int | None = None
        if self.most_parallel is not None and self._under_way > self.most_parallel:
            pause = 1
        elif self.most_per_minute is not None and len(self._served) >= self.most_per_minute:
            first = self._served[0] if self._served else now
            pause = max(1, round((first + MINUTE - now).total_seconds()))
        if pause is None:
            self._served.append(now)
        else:
            self.refused += 1
        return pause
