"""What a platform's ``target.py`` declares and codes; ``converge`` does the rest."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar, Protocol
from zoneinfo import ZoneInfo

import httpx

from fizzbridge.errors import FizzbridgeError, MappingError, TotalMismatchError
from fizzbridge.http.classify import ErrorRules
from fizzbridge.http.client import VendorClient
from fizzbridge.model.assessment import RecordAssessment
from fizzbridge.model.base import Frozen
from fizzbridge.model.entity import EntityRef, Kind, Part
from fizzbridge.model.order import AssessedLine, OrderAssessment
from fizzbridge.runtime.view import View
from fizzbridge.settings import Connection
from fizzbridge.trade import offering, totals
from fizzbridge.trade.billing import billed, was_paid
from fizzbridge.trade.offering import PriceOffer, ShopNames, StockOffer
from fizzbridge.trade.packs import Catalogue


class Maps(Protocol):
    """The id maps of a connection: SKU, tax, account, warehouse, unit."""

    def get(self, sort: str, value: str) -> str | None:
        """What ``value`` is called at the platform; None where nobody said."""
        ...

    def listed(self, sort: str) -> Mapping[str, str]:
        """Every row of a map: of a shop, its own words with ours."""
        ...

    def cause(self, sort: str, value: str) -> str:
        """The cause key of a missing row, for a MappingError."""
        ...


class Code(Frozen):
    """Something of ours under the target's name, and the map row that would give it another."""

    name: str
    """Empty where nobody said."""
    cause: str


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
        time_zone: the company's, for days.
        catalogue: the items we sell.
        today: the company's day, for what is valid on it.
        shown: of a stock level at a shop: codes at places it was told of by it last, as far as no
            other level speaks for them.
    """

    connection: Connection
    maps: Maps
    external_ids: Mapping[EntityRef, str] = field(default_factory=dict)
    tolerance: Decimal = Decimal(0)
    time_zone: str = "UTC"
    catalogue: Catalogue = field(default_factory=lambda: Catalogue(()))
    today: date = date.min
    shown: frozenset[str] = frozenset()

    @cached_property
    def _names(self) -> ShopNames:
        listed = self.maps.listed
        standing = str(self.connection.settings.get("price_list", ""))
        return ShopNames(listed("sku"), listed("location"), listed("pricelist"), standing)

    def codes(self, sku: str) -> tuple[str, ...]:
        """The codes a shop sells an item under, its packs included."""
        sold = offering.units(sku, self.catalogue, self.today)
        return tuple(code for ours, _ in sold for code in self._names.codes(ours))

    def stock(self, view: View) -> tuple[StockOffer, ...]:
        """What a shop is to offer, of a stock level that speaks for its item."""
        found = view.body(Part.ASSESSMENT, RecordAssessment)
        offered = found.offered if found else ()
        now = offering.stock(offered, self._names, self.catalogue, self.today)
        return now + offering.withdrawn(now, self.shown)

    def prices(self, view: View) -> tuple[PriceOffer, ...]:
        """What a shop is to ask, of a price that speaks for its item."""
        found = view.body(Part.ASSESSMENT, RecordAssessment)
        return offering.prices(
            found.priced if found else (), self._names, self.catalogue, self.today
        )

    def day(self, moment: datetime) -> date:
        """The day a moment falls on where the company is."""
        return moment.astimezone(ZoneInfo(self.time_zone)).date()

    def code(self, sort: str, value: str) -> Code:
        """What one of our codes is called at the target."""
        return Code(name=self.maps.get(sort, value) or "", cause=self.maps.cause(sort, value))

    def product(self, line: AssessedLine, sku: str | None) -> Code:
        """The product of a line.

        Goods have one by their SKU; freight, deposits and the like have one chosen for their kind:
        by map for a scheme or a line type, else by a setting like ``freight_sku``.

        Raises:
            MappingError: nothing was chosen.
        """
        if sku:
            found = self.code("sku", sku)
            return found if found.name else Code(name=sku, cause=found.cause)
        # A scheme of its own product first, then the kind.
        kinds = [one for one in (line.scheme, str(line.type)) if one]
        for kind in kinds:
            found = self.code("sku", kind)
            if found.name:
                return found
        settings = ["goods_sku" if one == "FREE_GOODS" else f"{one.lower()}_sku" for one in kinds]
        chosen = (str(self.connection.settings.get(name, "")) for name in settings)
        name = next(filter(None, chosen), "")
        if not name:
            msg = (
                f"line {line.id}: no product for {line.type.replace('_', ' ').lower()}; map SKU "
                f"{line.type} or set {settings[-1]} of connection {self.connection.name}"
            )
            raise MappingError(msg, cause=found.cause, platform=self.connection.platform)
        return Code(name=name, cause=found.cause)

    def rounding(self, name: str, expected: Decimal, found: Decimal, currency: str) -> Decimal:
        """What a ROUNDING line must add to a total the target would come to; nought for none.

        Raises:
            TotalMismatchError: the difference is no matter of rounding.
        """
        try:
            return totals.rounding(expected, found, self.tolerance)
        except totals.TotalMismatchError as error:
            raise TotalMismatchError(
                name,
                expected=expected,
                found=found,
                currency=currency,
                platform=self.connection.platform,
            ) from error


class TargetEntity:
    """One kind of entity at one platform.

    The runtime finds before it creates, creates at most once per generation, saves the id at once,
    and then calls ``update`` until the platform holds the payload. So ``create`` may leave
    follow-up steps (confirming, say) to ``update``, and a crash between them loses nothing.
    """

    def requires(self, view: View) -> Sequence[EntityRef]:  # noqa: ARG002  for overriders
        """Entities the platform must hold first."""
        return ()

    def order(self, view: View) -> OrderAssessment | None:
        """The order as this platform should hold it; its total must be this one's."""
        return view.assessment

    def stands(self, view: View) -> bool:  # noqa: ARG002  for overriders
        """Whether an order's document stays though the order was cancelled.

        A ledger keeps what was paid until the money has gone back, which a credit note says.
        """
        return False

    def desired(self, view: View, situation: Situation) -> Frozen | None:
        """The payload the platform should hold. Pure: equal state, equal payload.

        None where it holds no object of its own for this entity: a sales receipt has its payment
        within. A document of an order sees the order as ``view.parent``.

        It names foreign things by our references and mapped codes; ids that only the vendor knows
        are looked up by ``create`` and ``update``. Of an order or invoice it is a
        ``DocumentPayload``.

        Raises:
            MappingError: something has no counterpart.
            TotalMismatchError: it would not come to our total.
        """
        raise NotImplementedError

    def find(self, vendor: VendorClient, reference: str, payload: Any) -> str | None:
        """The external id of the object that carries our reference.

        Raises:
            AmbiguousMatchError: several do.
        """
        raise NotImplementedError

    def sought(self, view: View) -> Any:  # noqa: ARG002  for overriders
        """The payload ``find`` goes by where nothing is to be held any more.

        None where the reference is enough. A document of a shop's own order is found with that
        order only.
        """
        return None

    def unanswered(self, reference: str) -> str | None:  # noqa: ARG002  for overriders
        """The external id a create counts under that nobody answered, and no find can tell of.

        None where ``find`` can: what it does not find was not made.
        """
        return None

    def create(self, vendor: VendorClient, reference: str, payload: Any) -> str:
        """Create the object under our reference and return its external id."""
        raise NotImplementedError

    def update(self, vendor: VendorClient, external_id: str, payload: Any) -> None:
        """Read the object, write what differs, and take the steps still missing.

        Raises:
            DeletedAtTargetError: somebody deleted, voided or cancelled it there.
        """
        raise NotImplementedError

    def cancel(self, vendor: VendorClient, external_id: str) -> None:
        """Cancel or void the object; already cancelled is success."""
        raise NotImplementedError


class LevelEntity(TargetEntity):
    """Products, prices or stock at a platform that sells them: overwritten, never created.

    Attributes:
        most: how many payloads go in one ``write``.
        calls: how many calls that takes at most; reserved, and given back if unused.
    """

    most: ClassVar[int] = 100
    calls: ClassVar[int] = 6

    def write(
        self, vendor: VendorClient, payloads: Mapping[EntityRef, Any]
    ) -> Mapping[EntityRef, FizzbridgeError]:
        """Overwrite all of them, by the platform's bulk calls.

        What the platform does not sell is passed over; one that it refuses fails alone.

        Returns:
            Those that failed, and why.

        Raises:
            FizzbridgeError: a matter of the calls and not of one payload.
        """
        raise NotImplementedError


def short(reference: str, limit: int) -> str:
    """A reference for a field of few letters: itself where it fits, else one made of it.

    Distinct references stay distinct, so a find by it finds no other's object.
    """
    if len(reference) <= limit:
        return reference
    return hashlib.sha256(reference.encode()).hexdigest()[:limit]


@dataclass(frozen=True)
class Finding:
    """One thing a check looked at.

    Attributes:
        what: in a word or two: ``tax 0.2``, ``warehouse WH``.
        is_good: whether it is as it should be.
        message: what it is, or what to do.
    """

    what: str
    is_good: bool
    message: str


@dataclass(frozen=True)
class ItemThere:
    """An item the target sells."""

    code: str
    gtin: str = ""
    name: str = ""


class BilledOrder(TargetEntity):
    """An order at a ledger: an invoice, or a sales receipt where it was paid at the till."""

    def requires(self, view: View) -> Sequence[EntityRef]:
        """The customer."""
        return [view.request.customer] if view.request else []

    def order(self, view: View) -> OrderAssessment | None:
        """As it was sold: what was given back since is credited by itself."""
        if view.request is None or view.assessment is None:
            return None
        return billed(view.request, view.assessment, view.documents)

    def stands(self, view: View) -> bool:
        """Where money moved the document stays: a void would deny it."""
        return was_paid(view.documents)


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

    def check(self, vendor: VendorClient, situation: Situation) -> Iterable[Finding]:  # noqa: ARG002  for overriders
        """What the target must have before anything goes there: rights, taxes, accounts, units.

        Raises:
            FizzbridgeError: it cannot be asked at all.
        """
        return ()

    def items(self, vendor: VendorClient, connection: Connection) -> Iterable[ItemThere]:  # noqa: ARG002  for overriders
        """Every item that can be sold there, by the code an order line is to name."""
        return ()


def settled_after(adapter: TargetAdapter, connection: Connection, lease: float) -> timedelta:
    """How long after its intent a write is certain to be done and visible, or never.

    A worker that is held up between the two begins it late: at most while its lease lasts, which
    the vendor's client sees to.

    Args:
        adapter: the platform's.
        connection: may know the vendor better.
        lease: seconds a worker has.
    """
    longest, lag = (
        timedelta(seconds=int(connection.settings[name])) if name in connection.settings else usual
        for name, usual in (
            ("longest_transaction_s", adapter.longest_transaction),
            ("search_lag_s", adapter.search_lag),
        )
    )
    return timedelta(seconds=lease) + longest + lag
