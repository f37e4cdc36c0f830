"""The sandboxes as the demo sees them: the shop is driven, the ERP is asked over its own API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx

PATIENCE_S = 30.0


def _client(url: str, **headers: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=PATIENCE_S, trust_env=False, headers=headers)


class Shop:
    """The shop: people place and change orders, and it sends its webhooks."""

    def __init__(self, url: str) -> None:
        self._http = _client(url)

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def send_webhooks_to(self, uri: str) -> None:
        """Set the address of all its webhooks."""
        self._http.put("/_sandbox/webhook_uri", json={"uri": uri}).raise_for_status()

    def switch(self, mode: str) -> None:
        """``manual`` keeps webhooks until told; ``auto`` sends them as they come."""
        self._http.post("/_sandbox/mode", json={"mode": mode}).raise_for_status()

    def place(self, draft: Mapping[str, Any]) -> dict[str, Any]:
        """Place an order; returns it as the shop shows it."""
        return self._done("/_sandbox/orders", draft)

    def act(self, order_id: int, action: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Change an order; returns it as the shop shows it then."""
        return self._done(f"/_sandbox/orders/{order_id}/{action}", given)

    def deliveries(self) -> list[dict[str, Any]]:
        """Every webhook so far with what became of it, oldest first."""
        found: list[dict[str, Any]] = self._http.get("/_sandbox/deliveries").json()
        return found

    def deliver(self, ids: Sequence[str]) -> None:
        """Send these webhooks in this order, repeats included."""
        self._http.post("/_sandbox/deliveries/send", json={"ids": ids}).raise_for_status()

    def _done(self, path: str, given: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._http.post(path, json=given)
        answer.raise_for_status()
        order: dict[str, Any] = answer.json()["order"]
        return order


@dataclass(frozen=True)
class Sale:
    """An order as the ERP holds it."""

    number: str
    state: str
    total: Decimal
    lines: int


class Erp:
    """The ERP, asked as any of its clients would ask."""

    def __init__(self, url: str, key: str) -> None:
        self._http = _client(url, authorization=f"bearer {key}")

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def created(self) -> int:
        """How many orders it accepted as new."""
        counts: dict[str, int] = self._http.get("/_sandbox/accepted").json()
        return sum(counts.get(f"sale.order/{way}", 0) for way in ("create", "load"))

    def sales(self, origin: str) -> list[Sale]:
        """The orders that carry our reference."""
        found = self._read(
            "sale.order", [["origin", "=", origin]], ["name", "state", "amount_total"]
        )
        return [
            Sale(
                number=row["name"],
                state=row["state"],
                total=Decimal(str(row["amount_total"])),
                lines=len(
                    [
                        line
                        for line in self._read(
                            "sale.order.line",
                            [["order_id", "=", row["id"]]],
                            ["product_uom_qty", "display_type"],
                        )
                        if line["product_uom_qty"] and not line["display_type"]
                    ]
                ),
            )
            for row in found
        ]

    def _read(self, model: str, domain: list[Any], fields: list[str]) -> list[dict[str, Any]]:
        answer = self._http.post(
            f"/json/2/{model}/search_read", json={"domain": domain, "fields": fields}
        )
        answer.raise_for_status()
        rows: list[dict[str, Any]] = answer.json()
        return rows


def moment(text: str | None) -> datetime | None:
    """A time a sandbox wrote."""
    return datetime.fromisoformat(text) if text else None
