"""What an adapter returns when a platform told it something.

Webhooks, polls and batches speak alike: a list of parts seen, and of hints where the platform named
an entity without showing it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from fizzbridge.model.base import Frozen
from fizzbridge.model.entity import EntityRef, Kind, Part


@dataclass(frozen=True)
class Hint:
    """The platform named something it did not show; ``pull`` fetches it.

    Attributes:
        what: the adapter's own word for what to fetch: ``order``, ``transactions``.
        external_id: the platform's id.
        of: the kind it is, where reading it is only worth while if somebody owns such things.
    """

    what: str
    external_id: str
    of: Kind | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.external_id, str):
            # Out of an answer, as it was: said here, where it was read.
            raise TypeError("an id is a text")


@dataclass(frozen=True)
class Seen:
    """One part of one entity, as its platform showed it.

    Attributes:
        ref: the entity.
        body: the part; None where the platform says the entity is gone.
        changed: the owner's clock, in the terms the adapter's ``clock`` takes; None for a seed, an
            embedded copy that may create a missing entity and never updates one.
        part: which part it is.
        parent: the order a payment, refund, shipment, invoice or return belongs to.
        refetch: how to read it from the platform, which settles a tie; None where nothing can.
        reference: of a payment, refund, return, shipment or invoice: what it carries where our
            targets write our reference; one of ours says that the thing is our own doing.
    """

    ref: EntityRef
    body: Frozen | None
    changed: datetime | int | None
    part: Part = Part.RECORD
    parent: EntityRef | None = None
    refetch: Hint | None = None
    reference: str = ""


@dataclass(frozen=True)
class Enquiry:
    """A person asks what is known of them; somebody must answer within the law's time.

    Attributes:
        customer: who; a guest is known by an order.
    """

    customer: EntityRef


@dataclass(frozen=True)
class Farewell:
    """The platform has left for good: everybody known through the connection is to be erased.

    Attributes:
        host: which shop, where one address hears of several; the connection's base URL or its
            setting ``shop`` must name it.
    """

    host: str


Told = Seen | Hint | Enquiry | Farewell
