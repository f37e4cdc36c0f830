"""What an order holds of fulfilments, and what of it waits to be fulfilled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fizzbridge.errors import TargetRejectedError
from fizzbridge.model.base import Frozen
from platforms.shopify.marks import MARKS, SHIPMENT
from platforms.shopify.telling import ShopClient, gid, number, unshown

_READ = f"""
query($id: ID!) {{
  order(id: $id) {{
    {MARKS}
    fulfillments(first: 50) {{
      id status trackingInfo(first: 1) {{ company number url }}
      fulfillmentLineItems(first: 250) {{
        nodes {{ quantity lineItem {{ id }} }}
        pageInfo {{ hasNextPage }}
      }}
    }}
    fulfillmentOrders(first: 20) {{
      nodes {{
        id status assignedLocation {{ location {{ id }} }}
        lineItems(first: 250) {{
          nodes {{ id remainingQuantity lineItem {{ id }} }}
          pageInfo {{ hasNextPage }}
        }}
      }}
    }}
  }}
}}"""
_OPEN = {"OPEN", "IN_PROGRESS"}
OVER = {"CANCELLED", "ERROR", "FAILURE"}
"""States of a fulfilment that has come to nothing."""


class Parcel(Frozen):
    """What is to be fulfilled of an order."""

    order: str
    mark: str
    """The key of the order's metafield that names the fulfilments."""
    lines: tuple[tuple[str, int], ...]
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""
    notifies: bool = False

    @property
    def tracking(self) -> dict[str, str]:
        """As Shopify takes it; of a carrier that it knows it makes the address itself."""
        known = {
            "company": self.carrier,
            "number": self.tracking_number,
            "url": self.tracking_url,
        }
        return {name: value for name, value in known.items() if value}

    def missing(self, made: Sequence[Made]) -> Counter[str]:
        """What of it no fulfilment has yet."""
        return Counter(dict(self.lines)) - sum((one.lines for one in made), Counter())

    def is_untracked(self, made: Made) -> bool:
        """Whether a fulfilment shows other tracking."""
        return any(made.tracking.get(name) != value for name, value in self.tracking.items())


@dataclass(frozen=True)
class Made:
    """A fulfilment there is."""

    id: str
    is_over: bool
    lines: Counter[str]
    tracking: Mapping[str, str | None]

    @property
    def tracking_number(self) -> str:
        """The first, or none."""
        return self.tracking.get("number") or ""


@dataclass(frozen=True)
class Open:
    """A line of a fulfilment order that waits."""

    order: str
    id: str
    line: str
    left: int
    place: str


@dataclass(frozen=True)
class Held:
    """What an order holds of fulfilments, and what is left to be fulfilled."""

    marks: Mapping[str, tuple[str, ...]]
    made: Mapping[str, Made]
    open: Sequence[Open]

    def of(self, parcel: Parcel, *known: str) -> list[Made]:
        """The fulfilments of a parcel that stand: those named, and those that can be no other's."""
        standing = {name: one for name, one in self.made.items() if not one.is_over}
        named = dict.fromkeys((*known, *self.marks.get(parcel.mark, ())))
        found = [standing[name] for name in named if name in standing]
        if parcel.mark not in self.marks and not parcel.tracking_number:
            return found
        claimed = {name for names in self.marks.values() for name in names} | {*named}
        missing = parcel.missing(found)
        for one in standing.values():
            fits = one.lines and one.lines <= missing
            if fits and one.id not in claimed and one.tracking_number == parcel.tracking_number:
                found.append(one)
                missing -= one.lines
        return found


def read(client: ShopClient, order: str) -> Held:
    """What an order holds and waits for.

    Raises:
        TargetRejectedError: the shop does not show it, or not all of it.
    """
    found = client.ask(_READ, id=gid("Order", order))["order"]
    if found is None:
        raise unshown(order)
    groups = found["fulfillmentOrders"]["nodes"]
    for one in (*found["fulfillments"], *groups):
        _be_whole(one)
    made = [_made(one) for one in found["fulfillments"]]
    return Held(
        marks={
            one["key"]: tuple(part for part in one["value"].split() if part.isdigit())
            for one in found["metafields"]["nodes"]
            if one["key"].startswith(SHIPMENT)
        },
        made={one.id: one for one in made},
        open=[
            Open(
                group["id"],
                line["id"],
                number(line["lineItem"]["id"]),
                line["remainingQuantity"],
                ((group["assignedLocation"] or {}).get("location") or {}).get("id", ""),
            )
            for group in groups
            if group["status"] in _OPEN
            for line in group["lineItems"]["nodes"]
        ],
    )


def _be_whole(node: Mapping[str, Any]) -> None:
    lines = node.get("fulfillmentLineItems") or node["lineItems"]
    if lines["pageInfo"]["hasNextPage"]:
        msg = f"{node['id']} has more lines than are read at once"
        raise TargetRejectedError(msg, platform="shopify")


def _made(node: Mapping[str, Any]) -> Made:
    lines: Counter[str] = Counter()
    for line in node["fulfillmentLineItems"]["nodes"]:
        lines[number(line["lineItem"]["id"])] += line["quantity"] or 0
    tracking: Mapping[str, str | None] = next(iter(node["trackingInfo"]), {})
    return Made(number(node["id"]), node["status"] in OVER, lines, tracking)
