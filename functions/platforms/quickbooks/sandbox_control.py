"""The ``/_sandbox`` routes of the QuickBooks sandbox: what people do, and what is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from platforms.quickbooks.sandbox_hooks import Hooks
from platforms.quickbooks.sandbox_people import DraftError, People
from platforms.quickbooks.sandbox_store import KINDS, SINGLE, Event
from platforms.quickbooks.sandbox_wire import QboError, Row, read, written

PATHS = {kind.lower(): kind for kind in (*KINDS, *SINGLE)}


class Control:
    """Answers the routes.

    Args:
        people: gives who acts in the company, which a reset replaces.
        hooks: where webhooks leave.
    """

    def __init__(self, people: Callable[[], People], hooks: Hooks) -> None:
        self._people = people
        self._hooks = hooks

    async def records(self, request: Request) -> Response:
        """Every record of a kind."""
        kind = _kind(request.path_params["kind"])
        if kind is None:
            return _json({"error": "no such kind"}, 404)
        books = self._people().store
        with books.lock:
            return _json(books.all(kind))

    async def act(self, request: Request) -> Response:
        """Somebody does something with a record."""
        name, action = request.path_params["kind"], request.path_params["action"]
        people, id_, kind = self._people(), request.path_params["id"], _kind(name)
        acts = _actions(people, kind)
        if kind is None or action not in acts:
            return _json({"error": f"no such action: {name}/{action}"}, 404)
        try:
            made, row = acts[action](id_, read(await request.body() or b"{}"))
        except KeyError as missing:
            return _json({"error": f"not known: {missing}"}, 422)
        except QboError as error:
            is_unknown = error.code == "610" and id_ not in people.store.rows[kind]
            return _json({"error": error.detail}, 404 if is_unknown else 422)
        except (DraftError, TypeError, AttributeError) as refused:
            return _json({"error": str(refused)}, 422)
        return _json({"id": row["Id"], "record": people.store.shown(made, row)})

    async def make(self, request: Request) -> Response:
        """Somebody enters a record, given as the API has it."""
        kind, people = _kind(request.path_params["kind"]), self._people()
        if kind is None:
            return _json({"error": "no such kind"}, 404)
        try:
            row = people.make(kind, read(await request.body()))
        except (QboError, DraftError) as refused:
            return _json({"error": str(refused)}, 422)
        return _json({"id": row["Id"], "record": people.store.shown(kind, row)}, 201)

    async def set_uri(self, request: Request) -> Response:
        """Where webhooks go from now on."""
        self._hooks.uri = read(await request.body())["uri"]
        return Response(status_code=204)

    async def send_events(self, request: Request) -> Response:
        """Send events as told, known or not, all in one body."""
        try:
            told = [
                Event(one["entity"], str(one["id"]), one["operation"], self._hooks.clock())
                for one in read(await request.body())["events"]
            ]
            delivery = self._hooks.send(self._hooks.body(told), told)
        except (LookupError, TypeError, QboError) as refused:
            return _json({"error": str(refused)}, 422)
        return _json({"id": delivery.id}, 201)


def people_routes(people: Callable[[], People], hooks: Hooks) -> list[Route]:
    """The routes."""
    control = Control(people, hooks)
    return [
        Route("/_sandbox/records/{kind}", control.records, methods=["GET"]),
        Route("/_sandbox/records/{kind}", control.make, methods=["POST"]),
        Route("/_sandbox/webhook_uri", control.set_uri, methods=["PUT"]),
        Route("/_sandbox/events", control.send_events, methods=["POST"]),
        Route("/_sandbox/{kind}/{id:path}/{action}", control.act, methods=["POST"]),
    ]


def _actions(people: People, kind: str | None) -> dict[str, Callable[[str, Row], tuple[str, Row]]]:
    acts = people.actions(kind) if kind else {}
    if kind == "Item":
        acts["stock"] = lambda sku, draft: ("Item", people.stock(sku, draft))
        acts["receive"] = lambda sku, draft: ("Item", people.receive(sku, draft))
        acts["price"] = lambda sku, draft: ("Item", people.price(sku, draft))
    return acts


def _json(body: Any, status: int = 200) -> Response:
    return Response(written(body), status, media_type="application/json")


def _kind(name: str) -> str | None:
    """A kind by the vendor's word for it, in any case, one or many."""
    low = name.lower().replace("_", "")
    return PATHS.get(low) or PATHS.get(low.removesuffix("s"))
