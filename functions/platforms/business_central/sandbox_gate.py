"""Who may ask: the tenant's tokens, the app's standing in the environment, and how often."""

from __future__ import annotations

import asyncio
import hmac
import random
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from platforms.business_central.sandbox_values import ApiError, Row

SCOPE = "https://api.businesscentral.dynamics.com/.default"
WINDOW = timedelta(minutes=5)
NEEDED = ("grant_type", "client_id", "scope")
READS = {"GET", "HEAD"}


@dataclass
class Token:
    """What was given to an app, and until when it holds."""

    client_id: str
    ends: datetime | None


class Gate:
    """The doors of one tenant and environment.

    Args:
        seed: apps, limits and lives.
        clock: gives the time.
    """

    def __init__(self, seed: Row, clock: Callable[[], datetime]) -> None:
        self.seed = seed
        self.clock = clock
        self.tokens: dict[str, Token] = {}
        self.calls: dict[str, deque[datetime]] = {}
        self.in_flight = 0
        self.issued = 0

    def app(self, client_id: str) -> Row | None:
        """An app of the tenant."""
        apps = self.seed["apps"]
        return next((app for app in apps if app["client_id"].lower() == client_id.lower()), None)

    # -- the token endpoint ------------------------------------------------------------------------

    async def token(self, request: Request) -> Response:
        """``POST /{tenant}/oauth2/v2.0/token``: client credentials only, and no refresh token."""
        low, high = self.seed["token_delay_ms"]
        if high:
            await asyncio.sleep(random.uniform(low, high) / 1000)  # noqa: S311  a delay, no secret
        kind = request.headers.get("content-type", "").partition(";")[0]
        body = (await request.body()).decode("utf-8", "replace")
        form = dict(parse_qsl(body, keep_blank_values=True)) if kind.endswith("urlencoded") else {}
        wrong = self._wrong(request.path_params["tenant"], form)
        if wrong:
            return self._answer_error(*wrong)
        life = int(self.seed["token_life"])
        name = f"eyJ0eXAiOiJKV1Qi.{uuid.uuid4().hex}.{uuid.uuid4().hex}"
        self.tokens[name] = Token(form["client_id"], self.clock() + timedelta(seconds=life))
        self.issued += 1
        answer = {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life}
        headers = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}
        return JSONResponse(answer | {"access_token": name}, headers=headers)

    def _wrong(self, tenant: str, form: dict[str, str]) -> tuple[int, str, int, str] | None:
        if tenant.lower() not in (self.seed["tenant_id"], self.seed["domain"]):
            return 400, "invalid_request", 90002, f"Tenant '{tenant}' not found."
        for name in NEEDED:
            if not form.get(name):
                text = f"The request body must contain the following parameter: '{name}'."
                return 400, "invalid_request", 900144, text
        if form["grant_type"] != "client_credentials":
            text = "The app requested an unsupported grant type."
            return 400, "unsupported_grant_type", 70003, text
        if form["scope"] != SCOPE:
            text = "The provided value for the input parameter 'scope' is not valid."
            return 400, "invalid_scope", 1002012, text
        app = self.app(form["client_id"])
        if app is None:
            text = "Application was not found in the directory."
            return 400, "unauthorized_client", 700016, text
        if "client_assertion" in form:
            text = "Client assertion failed signature validation."
            return 401, "invalid_client", 700027, text
        secret = form.get("client_secret", "")
        if not secret:
            text = "The request body must contain 'client_assertion' or 'client_secret'."
            return 401, "invalid_client", 7000218, text
        if not hmac.compare_digest(secret.encode(), app["client_secret"].encode()):
            return 401, "invalid_client", 7000215, "Invalid client secret provided."
        return None

    def _answer_error(self, status: int, error: str, number: int, text: str) -> Response:
        ids = {"trace_id": str(uuid.uuid4()), "correlation_id": str(uuid.uuid4())}
        when = f"{self.clock():%Y-%m-%d %H:%M:%SZ}"
        full = f"AADSTS{number}: {text} Trace ID: {ids['trace_id']} Timestamp: {when}"
        body: dict[str, Any] = {"error": error, "error_description": full}
        return JSONResponse(body | {"error_codes": [number], "timestamp": when} | ids, status)

    # -- the API -----------------------------------------------------------------------------------

    def enter(self, header: str) -> Row:
        """The app a call is made as."""
        scheme, _, name = header.partition(" ")
        token = self.tokens.get(name) if scheme.lower() == "bearer" else None
        if token is None and name and name == self.seed["access_token"]:
            token = Token(self.seed["apps"][0]["client_id"], None)
        rejected = "The server has rejected the client credentials."
        if token is None or (token.ends and self.clock() >= token.ends):
            raise ApiError("Authentication_InvalidCredentials", rejected)
        app = self.app(token.client_id)
        if app is None or not app.get("is_enabled", True):
            raise ApiError("Authentication_InvalidCredentials", rejected)
        return app

    def allow(self, app: Row, method: str) -> None:
        """Whether the app's permission sets cover this."""
        if method not in READS and "write" not in app.get("permissions", ("read", "write")):
            text = "Sorry, the current permissions prevented the action."
            raise ApiError("Authorization_RequestDenied", text)
        if "read" not in app.get("permissions", ("read", "write")):
            text = "Sorry, the current permissions prevented the action."
            raise ApiError("Authorization_RequestDenied", text)

    def count(self, app: Row) -> Response | None:
        """Count a call, or say there were too many: in five minutes, or at once."""
        calls = self.calls.setdefault(app["client_id"], deque())
        now = self.clock()
        while calls and calls[0] <= now - WINDOW:
            calls.popleft()
        if len(calls) >= self.seed["rate_limit"] or self.in_flight >= self.seed["connections"]:
            pause = self.seed["retry_after"]
            headers = {} if pause is None else {"Retry-After": str(pause)}
            text = "Too many requests reached. Actual quota exceeded. Please try again later."
            return JSONResponse(ApiError("Unknown", text).body(), 429, headers)
        calls.append(now)
        return None
