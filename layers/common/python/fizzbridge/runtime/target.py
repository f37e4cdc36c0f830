"""What a platform's ``target.py`` declares and codes; ``converge`` does the rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Protocol

import httpx

from fizzbridge.errors import TotalMismatchError
from fizzbridge.http.classify import ErrorRules
from fizzbridge.http.client import VendorClient
from fizzbridge.model.base import Frozen
from fizzbridge.model.entity import EntityRef, Kind
from fizzbridge.model.order import OrderAssessment
from fizzbridge.runtime.view import View
from fizzbridge.settings import Connection
from fizzbridge.trade import totals


class Maps(Protocol):
    """The id maps of a connection: SKU, tax, account, warehouse, unit."""

    def get(self, sort: str, value: str) -> str | None:
        """What ``value`` is called at the platform; None where nobody said."""
        ...

    def cause(self, sort: str, value: str) -> str:
        """The cause key of a missing row, for a MappingError."""
        ...


class DocumentPayload(Frozen):
    """A payload whose amounts make a total. The runtime sends none that differs from ours."""

    currency: str
    total: Decimal
    """Gross the document comes to at the target, by the target's own way of taxing."""


@dataclass(frozen=True)
class Situation:
    """What a payload depends on beside the entity itself.

    Attributes:
        connection: the target connection and its settings.
        maps: its id maps.
        external_ids: the target's ids of the entities this one requires.
        tolerance: the largest difference of two totals that one ROUNDING line may close.
    """

    connection: Connection
    maps: Maps
    external_ids: Mapping[EntityRef, str] = field(default_factory=dict)
    tolerance: Decimal = Decimal(0)

    def rounding(self, order: OrderAssessment, total: Decimal) -> Decimal:
        """What a ROUNDING line must add to a total the target would come to; nought for none.

        Raises:
            TotalMismatchError: the difference is no matter of rounding.
        """
        try:
            return totals.rounding(order.totals.gross, total, self.tolerance)
        except totals.TotalMismatchError as error:
            raise TotalMismatchError(
                f"order {order.number}",
                expected=order.totals.gross,
                found=total,
                currency=order.currency,
                platform=self.connection.platform,
            ) from error


class TargetEntity(Protocol):
    """One kind of entity at one platform.

    The runtime finds before it creates, creates at most once per generation, saves the id at once,
    and then calls ``update`` until the platform holds the payload. So ``create`` may leave
    follow-up steps (confirming, say) to ``update``, and a crash between them loses nothing.
    """

    def requires(self, view: View) -> Sequence[EntityRef]:
        """Entities the platform must hold first."""
        ...

    def desired(self, view: View, situation: Situation) -> Frozen:
        """The payload the platform should hold. Pure: equal state, equal payload.

        It names foreign things by our references and mapped codes; ids that only the vendor knows
        are looked up by ``create`` and ``update``. Of an order or invoice it is a
        ``DocumentPayload``.

        Raises:
            MappingError: something has no counterpart.
            TotalMismatchError: it would not come to our total.
        """
        ...

    def find(self, vendor: VendorClient, reference: str, payload: Any) -> str | None:
        """The external id of the object that carries our reference.

        Raises:
            AmbiguousMatchError: several do.
        """
        ...

    def create(self, vendor: VendorClient, reference: str, payload: Any) -> str:
        """Create the object under our reference and return its external id."""
        ...

    def update(self, vendor: VendorClient, external_id: str, payload: Any) -> None:
        """Read the object, write what differs, and take the steps still missing.

        Raises:
            DeletedAtTargetError: it is gone.
        """
        ...

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Cancel or void the object; already cancelled is success."""
        ...


class TargetAdapter(ABC):
    """One platform as a target.

    Attributes:
        platform: the platform's slug.
        errors: what the platform's answers mean, beyond the common rules.
        entities: the kinds it can hold.
        search_lag: how long a committed object may stay invisible to a search.
        longest_transaction: how long a write may still be running after it was sent.
    """

    platform: ClassVar[str]
    errors: ClassVar[ErrorRules]
    entities: ClassVar[Mapping[Kind, TargetEntity]]
    search_lag: ClassVar[timedelta]
    longest_transaction: ClassVar[timedelta]

    @abstractmethod
    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """How requests are authorised, from the connection's api secret."""

    def client(self, vendor: VendorClient, connection: Connection) -> VendorClient:  # noqa: ARG002  for overriders
        """The client the entities get; a platform with several protocols wraps it here."""
        return vendor
