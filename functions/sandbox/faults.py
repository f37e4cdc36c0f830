"""Misbehaviour on demand, for any ASGI sandbox.

A fault waits for a request whose ``METHOD /path`` line and body contain the given texts, then
spoils the answer. ``status`` answers instead of the sandbox; ``drop`` hangs up before the sandbox
sees the request; ``commit_then_silence`` lets the sandbox do its work and withholds the answer;
``commit_then_reset`` and ``truncate`` do the work and break the answer off, ``commit_then_status``
answers with a failure all the same; ``delay`` is only slow;
``give_up`` is a client that stops waiting after ``seconds``, perhaps with the work still going on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Literal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

IN_PROCESS = "sandbox.in_process"
"""Scope key set by an in-process transport: withheld answers are raised at once, not waited for."""

Kind = Literal[
    "status",
    "drop",
    "commit_then_silence",
    "commit_then_reset",
    "commit_then_status",
    "truncate",
    "delay",
    "give_up",
]


class NoAnswerError(Exception):
    """The client gets no answer in time: an in-process transport turns this into its time-out."""


class HungUpError(Exception):
    """The connection broke: an in-process transport turns this into its network error."""


@dataclass
class Fault:
    """One scripted misbehaviour; ``times`` is how often it still strikes (-1: always)."""

    kind: Kind
    on: str = ""
    body_contains: str = ""
    times: int = 1
    status: int = 503
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 30.0
    fired: int = 0

    def strikes(self, line: str, body: bytes) -> bool:
        """Whether this fault is still armed and means this request."""
        return self.times != 0 and self.on in line and self.body_contains.encode() in body


class Faults:
    """ASGI middleware holding the armed faults; with none armed it passes everything through."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.armed: list[Fault] = []

    def arm(self, *faults: Fault) -> None:
        """Add faults; of several that fit a request the first armed strikes."""
        self.armed.extend(faults)

    def clear(self) -> None:
        """Disarm everything."""
        self.armed.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or let the first fault that means it strike."""
        if scope["type"] != "http" or not self.armed or scope["path"].startswith("/_sandbox"):
            await self.app(scope, receive, send)
            return
        body = await _read(receive)
        line = f"{scope['method']} {scope['path']}"
        fault = next((fault for fault in self.armed if fault.strikes(line, body)), None)
        if fault is None:
            await self.app(scope, _replay(body), send)
            return
        fault.times -= 1 if fault.times > 0 else 0
        fault.fired += 1
        await self._misbehave(fault, scope, body, send)

    async def _misbehave(self, fault: Fault, scope: Scope, body: bytes, send: Send) -> None:
        if fault.kind == "status":
            await _answer(fault, send)
        elif fault.kind == "drop":
            await _hang_up(scope, send, HungUpError())
        elif fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
            await self.app(scope, _replay(body), send)
        elif fault.kind == "give_up":
            await self._give_up(fault, scope, body, send)
        else:
            await self._commit_then(fault, scope, body, send)

    async def _give_up(self, fault: Fault, scope: Scope, body: bytes, send: Send) -> None:
        async def unheard(_: Message) -> None:
            """Nobody listens any more."""

        work = asyncio.ensure_future(self.app(scope, _replay(body), unheard))
        await asyncio.wait({work}, timeout=fault.seconds)
        await _hang_up(scope, send, NoAnswerError())

    async def _commit_then(self, fault: Fault, scope: Scope, body: bytes, send: Send) -> None:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(scope, _replay(body), keep)
        if fault.kind == "commit_then_silence":
            if not scope.get(IN_PROCESS):
                await asyncio.sleep(fault.seconds)
            await _hang_up(scope, send, NoAnswerError())
        elif fault.kind == "commit_then_status":
            await _answer(fault, send)
        elif fault.kind == "truncate":
            text = b"".join(message.get("body", b"") for message in messages[1:])
            start = dict(messages[0])
            start["headers"] = [h for h in start["headers"] if h[0].lower() != b"content-length"]
            await send(start)
            await send({"type": "http.response.body", "body": text[: len(text) // 2]})
        else:
            await _hang_up(scope, send, HungUpError())


async def _hang_up(scope: Scope, send: Send, error: Exception) -> None:
    if scope.get(IN_PROCESS):
        raise error
    # A server turns an exception into a 500; an answer never finished makes it close the line.
    headers = [(b"content-length", b"1")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _read(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


def _replay(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _answer(fault: Fault, send: Send) -> None:
    content = (
        fault.body.encode() if isinstance(fault.body, str) else json.dumps(fault.body).encode()
    )
    kind = "text/html" if isinstance(fault.body, str) else "application/json"
    headers = {"content-type": kind, "content-length": str(len(content))} | fault.headers
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": fault.status, "headers": raw})
    await send({"type": "http.response.body", "body": content})
