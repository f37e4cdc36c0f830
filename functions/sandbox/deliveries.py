"""Webhooks a sandbox sends: kept until told, or delivered in the background with retries."""

from __future__ import annotations

import base64
import functools
import heapq
import itertools
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Mode = Literal["manual", "auto"]
Status = Literal["waiting", "accepted", "given_up"]


@dataclass
class Delivery:
    """One webhook for one subscription; address, headers and body stay as at the event."""

    id: str
    topic: str
    subject: str
    subscription: str
    uri: str
    headers: dict[str, str]
    body: bytes
    status: Status = "waiting"
    answers: list[int | str] = field(default_factory=list)
    accepted_at: str | None = None

    @property
    def attempts(self) -> int:
        """How often this was sent, whatever came of it."""
        return len(self.answers)

    def summary(self) -> dict[str, Any]:
        """What the list of deliveries shows."""
        return {
            "id": self.id,
            "topic": self.topic,
            "order_id": self.subject,
            "status": self.status,
            "answers": self.answers,
            "accepted_at": self.accepted_at,
        }


Post = Callable[[Delivery], int]


def poster(connect_s: float, read_s: float) -> Post:
    """An HTTP client with the vendor's patience; it follows no redirect."""
    timeout = httpx.Timeout(read_s, connect=connect_s)
    # Reading the certificates is slow: once, and only when something is really sent.
    trust = functools.cache(ssl.create_default_context)

    def post(delivery: Delivery) -> int:
        with httpx.Client(timeout=timeout, verify=trust(), trust_env=False) as client:
            answer = client.post(delivery.uri, content=delivery.body, headers=delivery.headers)
        return answer.status_code

    return post


class Outbox:
    """All webhooks of one sandbox, oldest first.

    Args:
        post: sends one delivery and gives the HTTP status; tests may put a function in its place.
        pauses: seconds before each retry; after the last one a delivery is given up.
        limit: failures in a row after which a subscription is dropped.
        drop: removes that subscription at the sandbox, or switches it off; called again for every
            failure above the limit.
        successes: the statuses that count as accepted.
    """

    def __init__(
        self,
        post: Post,
        pauses: Sequence[float],
        limit: int,
        drop: Callable[[str], None],
        successes: Container[int] = range(200, 300),
    ) -> None:
        self.post = post
        self.pauses = tuple(pauses)
        self.limit = limit
        self.drop = drop
        self.successes = successes
        self.mode: Mode = "manual"
        self.deliveries: list[Delivery] = []
        self._failures: Counter[str] = Counter()
        self._due: list[tuple[float, int, Delivery]] = []
        self._turn = itertools.count()
        self._wake = threading.Condition()
        self._worker: threading.Thread | None = None

    def add(self, delivery: Delivery) -> None:
        """Keep a delivery; in auto mode it also leaves at once."""
        with self._wake:
            self.deliveries.append(delivery)
            if self.mode == "auto":
                self._schedule(delivery, 0)

    def pending(self) -> list[Delivery]:
        """What no receiver has accepted yet and nobody gave up."""
        return [delivery for delivery in self.deliveries if delivery.status == "waiting"]

    def get(self, delivery_id: str) -> Delivery:
        """The delivery of that id, or KeyError."""
        for delivery in self.deliveries:
            if delivery.id == delivery_id:
                return delivery
        raise KeyError(delivery_id)

    def send(self, ids: Iterable[str]) -> list[int | str]:
        """Send these now in this order, repeats included; gives each HTTP status or error name."""
        return [self._attempt(self.get(delivery_id)) for delivery_id in ids]

    def switch(self, mode: Mode) -> None:
        """Change the mode; auto starts with everything that waits."""
        with self._wake:
            self.mode = mode
            self._due.clear()
            if mode == "auto":
                for delivery in self.pending():
                    self._schedule(delivery, 0)
                if self._worker is None:
                    self._worker = threading.Thread(target=self._run, daemon=True)
                    self._worker.start()
            self._wake.notify_all()

    def clear(self) -> None:
        """Forget every delivery and failure."""
        with self._wake:
            self.deliveries.clear()
            self._due.clear()
            self._failures.clear()

    def _schedule(self, delivery: Delivery, pause: float) -> None:
        heapq.heappush(self._due, (time.monotonic() + pause, next(self._turn), delivery))
        self._wake.notify_all()

    def _run(self) -> None:
        while True:
            delivery = self._next()
            self._attempt(delivery)
            with self._wake:
                if delivery.status != "waiting" or self.mode == "manual":
                    continue
                if delivery.attempts > len(self.pauses):
                    delivery.status = "given_up"
                else:
                    self._schedule(delivery, self.pauses[delivery.attempts - 1])

    def _next(self) -> Delivery:
        with self._wake:
            while not self._due or self._due[0][0] > time.monotonic():
                pause = self._due[0][0] - time.monotonic() if self._due else None
                self._wake.wait(pause)
            return heapq.heappop(self._due)[2]

    def _attempt(self, delivery: Delivery) -> int | str:
        try:
            answer: int | str = self.post(delivery)
        except httpx.HTTPError as error:
            answer = type(error).__name__
        with self._wake:
            delivery.answers.append(answer)
            if isinstance(answer, int) and answer in self.successes:
                self._failures[delivery.subscription] = 0
                delivery.status = "accepted"
                delivery.accepted_at = delivery.accepted_at or datetime.now(UTC).isoformat()
            else:
                self._failed(delivery.subscription)
        return answer

    def _failed(self, subscription: str) -> None:
        self._failures[subscription] += 1
        if self._failures[subscription] < self.limit:
            return
        self.drop(subscription)
        for delivery in self.pending():
            if delivery.subscription == subscription:
                delivery.status = "given_up"

    def routes(self) -> list[Route]:
        """The control routes: mode, list, one delivery, send."""

        async def set_mode(request: Request) -> Response:
            self.switch((await request.json())["mode"])
            return JSONResponse({"mode": self.mode})

        async def listing(_: Request) -> Response:
            return JSONResponse([delivery.summary() for delivery in self.deliveries])

        async def one(request: Request) -> Response:
            try:
                delivery = self.get(request.path_params["id"])
            except KeyError:
                return JSONResponse({"error": "no such delivery"}, status_code=404)
            body = base64.b64encode(delivery.body).decode()
            content = {"uri": delivery.uri, "headers": delivery.headers, "body": body}
            return JSONResponse(delivery.summary() | content)

        async def send(request: Request) -> Response:
            ids = (await request.json())["ids"]
            try:
                # The receiver may be slow: other requests must not wait for it.
                statuses = await run_in_threadpool(self.send, ids)
            except KeyError as error:
                return JSONResponse({"error": f"no delivery {error}"}, status_code=404)
            return JSONResponse({"statuses": statuses})

        return [
            Route("/_sandbox/mode", set_mode, methods=["POST"]),
            Route("/_sandbox/deliveries", listing, methods=["GET"]),
            Route("/_sandbox/deliveries/send", send, methods=["POST"]),
            Route("/_sandbox/deliveries/{id}", one, methods=["GET"]),
        ]
