"""API Gateway's part: a request becomes the event of a function, its answer a response."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Event = dict[str, Any]
# As tried by others: https://github.com/ministackorg/ministack/pull/766. A form is not among them,
# and neither is what names no type.
_TEXT = re.compile(r"(text/[^;]+|application/(json|javascript|xml))\s*(;|$)", re.IGNORECASE)


class Gateway(Starlette):
    """One route, as an ASGI application.

    Attributes:
        answer: gives a function's answer to an event and the bytes it was made of; whoever sends a
            request sets it before.
    """

    answer: Callable[[Event, bytes], Mapping[str, Any]]

    def __init__(self, path: str) -> None:
        super().__init__(routes=[Route(path, self._serve, methods=["POST"])])
        self.path = path

    async def _serve(self, request: Request) -> Response:
        body = await request.body()
        answer = self.answer(event_of(self.path, request, body), body)
        # What names no type goes out as plain text.
        return Response(
            answer["body"], answer["statusCode"], answer.get("headers"), media_type="text/plain"
        )


def event_of(path: str, request: Request, body: bytes) -> Event:
    """The event, payload format 2.0."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    cookies = headers.pop("cookie", "")
    text = _text(headers.get("content-type", ""), body)
    return {
        "version": "2.0",
        "routeKey": f"{request.method} {path}",
        "rawPath": request.url.path,
        "rawQueryString": request.url.query,
        **({"cookies": cookies.split("; ")} if cookies else {}),
        "headers": headers,
        **({"pathParameters": request.path_params} if request.path_params else {}),
        "requestContext": {"requestId": "r-1", "http": {"method": request.method}},
        "body": base64.b64encode(body).decode() if text is None else text,
        "isBase64Encoded": text is None,
    }


def _text(media: str, body: bytes) -> str | None:
    try:
        return body.decode() if _TEXT.match(media) else None
    except UnicodeDecodeError:
        return None
