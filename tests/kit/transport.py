"""A synchronous httpx transport onto an ASGI sandbox in this process: no socket, no waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from sandbox.faults import IN_PROCESS, App, Fault, HungUpError, NoAnswerError


class SandboxTransport(httpx.BaseTransport):
    """Runs each request through the sandbox; withheld answers become httpx's own errors."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.requests: list[httpx.Request] = []
        self.meanwhile: list[tuple[Fault, Callable[[], None]]] = []
        """What happens while a request is on its way, once; a fault says which request."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        line = f"{request.method} {request.url.path}"
        for one in [one for one in self.meanwhile if one[0].strikes(line, request.content)]:
            self.meanwhile.remove(one)
            one[1]()
        try:
            return asyncio.run(self._answer(request))
        except NoAnswerError as error:
            raise httpx.ReadTimeout("no answer in time", request=request) from error
        except HungUpError as error:
            raise httpx.ReadError("connection reset", request=request) from error

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "scheme": request.url.scheme,
            "path": request.url.path,
            "raw_path": request.url.raw_path.split(b"?")[0],
            "query_string": request.url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "server": (request.url.host, request.url.port or 80),
            "client": ("127.0.0.1", 0),
            IN_PROCESS: True,
        }
        started: dict[str, Any] = {}
        body = bytearray()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": request.content, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
            else:
                body.extend(message.get("body", b""))

        await self.app(scope, receive, send)
        return httpx.Response(
            started["status"], headers=started["headers"], content=bytes(body), request=request
        )
