"""``$batch``: many requests in one, each for itself or all or none of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, unquote

from platforms.business_central.sandbox_api import JSON, Answer, Api, Call
from platforms.business_central.sandbox_values import ApiError, text_of

MOST = 100


class Batches:
    """JSON batches.

    Args:
        api: answers the requests within.
    """

    def __init__(self, api: Api) -> None:
        self.api = api

    def answer(self, call: Call) -> Answer:
        """Do the requests in order; their answers come in the same."""
        try:
            return self._answer(call)
        except ApiError as error:
            return Answer(error.status, error.body(), dict(JSON))

    def _answer(self, call: Call) -> Answer:
        if call.method != "POST":
            raise ApiError("BadRequest_MethodNotAllowed", "A batch is posted.")
        requests = self.api.body(call).get("requests")
        if not isinstance(requests, list) or not requests:
            raise ApiError("BadRequest", "Invalid Request Body")
        if len(requests) > MOST:
            raise ApiError("BadRequest", f"A batch holds at most {MOST} requests.")
        calls = [self._inner(call, one) for one in requests]
        if call.headers.get("isolation", "").lower() not in ("snapshot", '"snapshot"'):
            answers = [self.api.answer(one) for one in calls]
        else:
            answers = self._snapshot(calls)
        shown_ = [
            {"id": one.get("id"), "status": answer.status, "headers": _lower(answer.headers)}
            | ({} if answer.body is None else {"body": answer.body})
            for one, answer in zip(requests, answers, strict=False)
        ]
        return Answer(200, {"responses": shown_}, JSON)

    def _snapshot(self, calls: Iterable[Call]) -> list[Answer]:
        """All or nothing: the first failure undoes what was done and ends the batch."""
        answers: list[Answer] = []
        with self.api.lock, suppress(_UndoneError), self.api.store.transaction():
            for one in calls:
                answers.append(self.api.answer(one))
                if answers[-1].status >= 400:
                    raise _UndoneError
        return answers

    def _inner(self, call: Call, one: Any) -> Call:
        if not isinstance(one, dict) or not isinstance(one.get("url"), str):
            raise ApiError("BadRequest", "Invalid Request Body")
        headers = {key.lower(): str(value) for key, value in (one.get("headers") or {}).items()}
        path, _, options = one["url"].removeprefix(call.base).lstrip("/").partition("?")
        path = unquote(path)
        first = path.partition("(")[0].partition("/")[0]
        if first not in ("companies", "subscriptions"):
            path = f"companies({self._company(headers)})/{path}"
        if path.startswith("subscriptions") and one.get("method") in ("POST", "PATCH"):
            raise ApiError("BadRequest", "Subscriptions cannot be part of a batch.")
        body = b"" if one.get("body") is None else text_of(one["body"])
        pairs = dict(parse_qsl(options, keep_blank_values=True))
        return Call(str(one.get("method")), path, pairs, headers, body, call.base)

    def _company(self, headers: Mapping[str, str]) -> str:
        name = headers.get("company", "")
        found = self.api.store.one("companies", name=name)
        if found is None:
            text = "Cannot process the request because the default company cannot be found."
            raise ApiError("Internal_CompanyNotFound", text)
        return str(found["id"])


class _UndoneError(Exception):
    """One request of a batch failed, and with it the batch."""


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {key.lower(): value for key, value in headers.items()}
