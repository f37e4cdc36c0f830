"""What the stand-in system takes: signed posts, kept by the entity they tell of."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from platforms.standard.sandbox_records import KINDS, Json, RefusedError, mistakes, moment
from platforms.standard.sandbox_signing import UnsignedError, check

KEY = re.compile(r"[a-z][a-z0-9-]{0,30}/[^\s#]{1,200}")
TYPE = re.compile(r"([A-Z][a-z]+)+")


class Inbox:
    """Posts by entity, newest last, and what is known of each.

    A post whose id is known is answered like the first and not kept; one with a smaller revision
    than is known is kept and does not become what is known.

    Args:
        secrets: whsec_ texts, any of which proves a post.
        clock: gives the time.
        accepted: counts posts by their type, and ``repeated``, ``late`` and ``refused`` ones.
    """

    def __init__(
        self, secrets: Sequence[str], clock: Callable[[], datetime], accepted: Counter[str]
    ) -> None:
        self.secrets = list(secrets)
        self._clock = clock
        self._accepted = accepted
        self.posts: list[Json] = []
        self.known: dict[str, Json] = {}
        self._ids: dict[str, Json] = {}

    async def post(self, request: Request) -> Response:
        """``POST /fizzbridge``."""
        body = await request.body()
        try:
            number = check(request.headers, body, self.secrets, self._clock())
        except UnsignedError as refused:
            return self._refuse(401, str(refused))
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return self._refuse(415, "a post is application/json")
        try:
            post = json.loads(body)
            found = wrong(post)
        except (ValueError, RecursionError):
            return self._refuse(400, "a post is JSON")
        if found:
            return self._refuse(422, *found)
        if number in self._ids:
            is_same = self._ids[number] == post["data"]
            self._accepted["repeated" if is_same else "repeated_otherwise"] += 1
            return JSONResponse({"status": "known"})
        self._keep(number, post)
        return JSONResponse({"status": "accepted"}, 202)

    def forget(self, key: str | None = None) -> None:
        """Lose what was taken, of one entity or all of it."""
        if key is None:
            self.posts, self.known, self._ids = [], {}, {}
        else:
            self.posts = [one for one in self.posts if name_of(one["data"]) != key]
            self.known.pop(key, None)

    def of(self, key: str) -> list[Json]:
        """The posts of one entity, named as ``Order#shop-uk/5501``."""
        return [one for one in self.posts if name_of(one["data"]) == key]

    def _keep(self, number: str, post: Json) -> None:
        data = post["data"]
        self._accepted[post["type"]] += 1
        self._ids[number] = data
        self.posts.append({"id": number} | copy.deepcopy(post))
        before = self.known.get(name_of(data))
        if before and "revision" in data and data["revision"] < before["data"].get("revision", 0):
            self._accepted["late"] += 1
        else:
            self.known[name_of(data)] = self.posts[-1]

    def _refuse(self, status: int, *why: str) -> Response:
        self._accepted["refused"] += 1
        return JSONResponse({"error": {"message": "; ".join(why)}}, status)


def name_of(data: Json) -> str:
    """An entity as the bridge writes it."""
    return f"{data['kind']}#{data['key']}"


def wrong(post: Any) -> list[str]:
    """What in a post is not as it was agreed."""
    if not isinstance(post, dict) or set(post) != {"type", "timestamp", "data"}:
        return ["a post has type, timestamp and data, and nothing else"]
    found = []
    if not isinstance(post["type"], str) or not TYPE.fullmatch(post["type"]):
        found.append("type is no detail-type")
    try:
        moment(post["timestamp"])
    except RefusedError as refused:
        found.append(f"timestamp: {refused}")
    data = post["data"]
    if not isinstance(data, dict):
        return [*found, "data is no object"]
    return found + _wrong_data(data)


def _wrong_data(data: Json) -> list[str]:
    kind = data.get("kind")
    if kind not in KINDS.values():
        return ["data.kind is none of the ten"]
    found = []
    if not KEY.fullmatch(str(data.get("key", ""))):
        found.append("data.key is no key")
    if "record" not in data:
        found.append("data.record is missing, and null where nothing stands")
    # The end of a thing has no revision: nothing comes after it.
    revision = data.get("revision", None if data.get("record") else 0)
    if isinstance(revision, bool) or not isinstance(revision, int) or revision < 0:
        found.append("data.revision is no whole number")
    schemas = {
        "record": ("OrderRequest" if kind == "Order" else str(kind), "records"),
        "processing": ("OrderProcessing", "records"),
        "assessment": ("OrderAssessment" if kind == "Order" else "RecordAssessment", "parts"),
    }
    for name, (schema, folder) in schemas.items():
        if data.get(name) is not None:
            found += [f"data.{name}/{one}" for one in mistakes(schema, data[name], folder)]
    return found
