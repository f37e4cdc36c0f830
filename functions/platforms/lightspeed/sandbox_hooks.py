"""The sandbox's webhooks: their list, their refusals, and how one delivery is made and signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from platforms.lightspeed.sandbox_query import WrongRequestError, only
from platforms.lightspeed.sandbox_shapes import Json
from sandbox.deliveries import Delivery, Outbox

TYPES = (
    "sale.update product.update customer.update inventory.update register_closure.create"
    " consignment.send consignment.receive".split()
)
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
FIELDS = ("payload", "retailer_id", "type", "domain_prefix", "environment")
# Twenty more tries in 48 hours, each pause half as long again; the vendor names no first one.
PAUSES = tuple(26 * 1.5**place for place in range(20))


def form(fields: dict[str, str], names: tuple[str, ...] = FIELDS) -> bytes:
    """The body of a delivery; only ``payload`` is promised."""
    return urlencode([(name, fields[name]) for name in names if name in fields]).encode()


def signature(secret: str, signed: bytes, encoding: str = "hex", gap: str = "") -> str:
    """The value of ``X-Signature``: pairs in one header, some with a gap after the comma."""
    digest = hmac.digest(secret.encode(), signed, hashlib.sha256)
    proof = base64.b64encode(digest).decode() if encoding == "base64" else digest.hex()
    return f"signature={proof},{gap}algorithm=HMAC-SHA256"


class Hooks:
    """The webhooks of one application.

    Args:
        seed: how deliveries are formed and signed.
        retailer_id: whose they are.
        new_id: gives ids.
        outbox: takes the deliveries.
    """

    def __init__(
        self, seed: Json, retailer_id: str, new_id: Callable[[], str], outbox: Outbox
    ) -> None:
        self.seed = seed
        self.retailer_id = retailer_id
        self.new_id = new_id
        self.outbox = outbox
        self.rows: dict[str, Json] = {}

    def add(self, kind: str, url: str, *, active: bool = True) -> Json:
        """Keep a webhook."""
        row: Json = {"id": self.new_id(), "retailer_id": self.retailer_id, "url": url}
        row |= {"type": kind, "active": active}
        self.rows[row["id"]] = row
        return row

    def send(self, kind: str, subject: str, body: Json) -> None:
        """Make the delivery of an event for every webhook that wants it."""
        for row in self.rows.values():
            if row["type"] != kind or not row["active"]:
                continue
            payload = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
            fields = {
                "payload": payload,
                "retailer_id": self.retailer_id,
                "type": kind,
                "domain_prefix": self.seed["domain_prefix"],
                "environment": "prod",
            }
            raw = form(fields, tuple(self.seed["form_fields"]))
            place = f"d{len(self.outbox.deliveries) + 1}"
            headers = {"Content-Type": FORM} | self._proof(payload, raw)
            self.outbox.add(Delivery(place, kind, subject, row["id"], row["url"], headers, raw))

    def _proof(self, payload: str, raw: bytes) -> dict[str, str]:
        """Webhooks made by hand belong to no application, so nobody could sign theirs."""
        if not self.seed["is_signed"]:
            return {}
        signed = payload.encode() if self.seed["signature_over"] == "payload" else raw
        gap = " " if self.seed["signature_gap"] else ""
        secret, encoding = self.seed["client_secret"], self.seed["signature_encoding"]
        return {"X-Signature": signature(secret, signed, encoding, gap)}

    # -- REST --------------------------------------------------------------------------------------

    async def listing(self, request: Request) -> Response:
        """All of them."""
        only(request.query_params, ())
        return JSONResponse({"data": list(self.rows.values())})

    async def get(self, request: Request) -> Response:
        """One."""
        return JSONResponse({"data": self._row(request)})

    async def create(self, request: Request) -> Response:
        """Another, unless the same type goes to the same address already."""
        given = _asked(await request.body())
        if self._is_taken(given, None):
            return _taken()
        row = self.add(given["type"], given["url"], active=given["active"])
        return JSONResponse({"data": row}, 201)

    async def update(self, request: Request) -> Response:
        """Change one."""
        row = self._row(request)
        given = _asked(await request.body())
        if self._is_taken(given, row["id"]):
            return _taken()
        row |= given
        return JSONResponse({"data": row})

    async def delete(self, request: Request) -> Response:
        """Remove one; what it already sent is tried on."""
        del self.rows[self._row(request)["id"]]
        return JSONResponse({}, 200)

    def _row(self, request: Request) -> Json:
        row = self.rows.get(request.path_params["id"])
        if row is None:
            raise WrongRequestError("No such webhook.", 404)
        return row

    def _is_taken(self, given: Json, but: str | None) -> bool:
        return any(
            (row["type"], row["url"]) == (given["type"], given["url"]) and row["id"] != but
            for row in self.rows.values()
        )


def _taken() -> Response:
    return JSONResponse({"error": "A webhook with this type and URL already exists."}, 409)


def _asked(raw: bytes) -> Json:
    try:
        given: Any = json.loads(raw)
    except ValueError:
        raise WrongRequestError("The body must be JSON.") from None
    if not isinstance(given, dict) or set(given) != {"url", "type", "active"}:
        raise WrongRequestError("A webhook has a url, a type and active, and no more.", 422)
    if given["type"] not in TYPES:
        raise WrongRequestError(f"type must be one of {', '.join(TYPES)}", 422)
    if not isinstance(given["active"], bool):
        raise WrongRequestError("active must be true or false", 422)
    if not str(given["url"]).startswith(("https://", "http://")):
        raise WrongRequestError("url must be an address", 422)
    return given
