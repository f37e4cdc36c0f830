"""Configuration: what ``bridge.toml`` may say, and what a function finds in its environment.

The bridge file is read and checked once, when the stacks are synthesised (``bridge_file.py``).
Functions get it compiled to JSON in a layer of its own and read it through ``load_bridge``.
Every default a company may change is written here and nowhere else.
"""

import os
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    field_validator,
    model_validator,
)

from fizzbridge.model.base import Country
from fizzbridge.model.catalogue import CatalogueItem, ListPrice
from fizzbridge.model.customer import Weekday
from fizzbridge.model.entity import Kind, Role
from fizzbridge.model.money import Currency
from fizzbridge.model.order import HoldReason
from fizzbridge.model.scheme import Scheme
from fizzbridge.model.units import Unit

LOCAL_STAGE = "local"
"""The stage on this machine: the only one whose vendors may be here, over plain http."""

SHARED_ROLES = frozenset(
    {Role.ORDER_REQUEST, Role.PAYMENT, Role.REFUND, Role.RETURN, Role.CUSTOMER}
)
"""Roles several connections may hold: their entities are keyed by the connection that owns them."""

ConnectionName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,30}$")]
Every = Annotated[
    str, StringConstraints(pattern=r"^(1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))$")
]
"""An interval as EventBridge Scheduler spells it inside ``rate()``: ``15 minutes``, ``1 hour``."""
Condition = Literal["class", "channel", "ship_country", "currency"]


class _Frozen(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True
    )


def _known_zone(value: str) -> str:
    # Imported here: only the bridge file's check needs the time zone database.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"'{value}' is not a time zone, for example Europe/London") from error
    return value


class Company(_Frozen):
    """Who the bridge works for. Its time zone decides what day a document belongs to."""

    name: str
    """The company's name, for people."""
    country: Country
    """Where it is established: two capital letters."""
    currency: Currency
    """What its books are kept in."""
    time_zone: str
    """Decides what day a document belongs to, for example ``Europe/London``."""

    _known = field_validator("time_zone")(_known_zone)


class Calls(_Frozen):
    """Ceiling on calls to a vendor, kept across all functions of the connection."""

    parallel: int = Field(default=2, ge=1, le=100)
    """Calls at the same time."""
    per_minute: int = Field(default=60, ge=1)
    """Calls in any 60 seconds."""


class Connection(_Frozen):
    """One account on one platform."""

    name: ConnectionName
    """Lower case letters, digits, hyphens. Part of addresses, queues and keys: choose it once."""
    platform: str
    """A folder of ``functions/platforms`` that the registry lists."""
    base_url: str
    """Address of the account: https, or http on this machine in the local stage."""
    start_at: AwareDatetime
    """What was placed earlier is linked when found, never created and never notified."""
    roles: tuple[Role, ...] = ()
    """What it owns. What it says of anything else is not written; of products, prices and stock it
    is compared."""
    calls: Calls = Calls()
    deposits: Literal["add", "check"] = "add"
    """Of a shop: whether container deposits and levies are added to orders that come without any,
    or whether the shop charges them itself and they are only compared."""
    drift: Literal["report", "correct"] = "report"
    """Of a shop that is told of products, prices or stock: whether what people change there is
    reported, or reported and written over."""
    settings: Mapping[str, str | int | bool] = Field(default_factory=dict)
    """The platform's own; its README lists them. ``longest_transaction_s`` and ``search_lag_s``
    replace what the adapter declares."""


class Route(_Frozen):
    """Which entities of which connections go where."""

    kinds: tuple[Kind, ...] = Field(min_length=1)
    """Kinds of entity that take this route."""
    sources: tuple[ConnectionName, ...] = Field(alias="from", min_length=1)
    """Connections they come from."""
    targets: tuple[ConnectionName, ...] = Field(alias="to", min_length=1)
    """Connections they go to."""
    where: Mapping[Condition, tuple[str, ...]] = Field(default_factory=dict)
    """All conditions must hold; a condition holds when the entity has one of its values."""


class Schedule(_Frozen):
    """How often a stream is polled, in place of the manifest's default."""

    connection: ConnectionName
    """A source connection."""
    stream: str
    """A stream its platform's manifest names."""
    every: Every
    """The interval, for example ``15 minutes``."""


class CatalogueFiles(_Frozen):
    """Where the product facts and the deposit and levy rates are, beside the bridge file."""

    file: str
    """CSV file of products and pack sizes."""
    schemes: str | None = None
    """TOML file of deposits and levies."""
    prices: str | None = None
    """CSV file of list and contract prices, which orders of accounts are checked against."""


class Notification(_Frozen):
    """Who is told when an event happens."""

    event: str
    """A detail-type."""
    to: tuple[str, ...] = Field(min_length=1)
    """Whom to tell."""


class Limits(_Frozen):
    """The product's thresholds. None is an industry rule; every company may set its own."""

    bulk_case_equivalents: int = Field(default=10, ge=1)
    """An order of at least this many case-equivalents is BULK."""
    bulk_line_layer: bool = True
    """An order with a line of at least one whole layer is BULK."""
    total_tolerance: Decimal = Field(default=Decimal("0.05"), ge=0)
    """Largest difference between two totals of a document that one ROUNDING line may close."""
    layer_missing_percent: Decimal = Field(default=Decimal(20), ge=0, le=100)
    """An account's order is rounded up to a layer where no more than this part of one is missing,
    and to a pallet where ``pallet_missing_percent`` of one is."""
    pallet_missing_percent: Decimal = Field(default=Decimal(10), ge=0, le=100)
    """See ``layer_missing_percent``."""
    minimum_order_value: Decimal | None = Field(default=None, ge=0)
    """Goods of a BULK order, without deposits and tax, in the company's currency; none means no
    minimum."""
    minimum_order_cases: int | None = Field(default=None, ge=0)
    """Case-equivalents of a BULK order that will do whatever its value."""
    over_return_percent: Decimal = Field(default=Decimal(20), ge=0)
    """Empties an account may bring beyond those outstanding, in percent of what it was sold."""
    delivery_bytes: int = Field(default=5_000_000, ge=1)
    """A larger webhook body is refused with 413; the poll brings what it said."""
    recheck_days: int = Field(default=30, ge=1, le=365)
    """Orders of so many days are looked for at platforms that delete without a word, and gone
    through by the hourly check."""
    missing_orders: int = Field(default=5, ge=0)
    """So many orders of one day may be gone at once; of more the list is not believed."""
    corrections_a_day: int = Field(default=3, ge=1)
    """So often the owner's value is written over another one a shop sets, with ``drift`` correct;
    what comes back after that is reported and let be."""


class CreditPolicy(_Frozen):
    """How the credit of accounts on terms is checked."""

    warn_percent: Decimal = Field(default=Decimal(10), ge=0, le=100)
    """Warn where less than this part of the limit is left."""
    grace_days: int = Field(default=0, ge=0)
    """Days an invoice may be overdue before orders are held."""


class StockPolicy(_Frozen):
    """How stock is offered and promised."""

    short: Literal["hold", "backorder"] = "hold"
    """What becomes of an order that stock does not cover: its release waits, or it ships in part
    and the rest follows."""
    share: Literal["order_time", "fair_share"] = "order_time"
    """Who gets what is there: who ordered first, or everyone in proportion."""
    buffer_cases: int = Field(default=0, ge=0)
    """Cases of each item that are never offered."""
    buffer_percent: Decimal = Field(default=Decimal(0), ge=0, le=100)
    """Part of what is available that is never offered."""
    stale_after_hours: Decimal = Field(default=Decimal(1), gt=0)
    """A level older than this is lowered by the demand to be expected since."""
    review_days: int | None = Field(default=None, ge=1)
    """Days between two orders to suppliers; none means whenever stock falls to its reorder
    point."""
    reorder_unit: Unit = Unit.CASE
    """Orders to suppliers are rounded up to this unit."""


class DeliveryPolicy(_Frozen):
    """When the depot's routes run."""

    time_zone: str
    """The depot's own, for example ``Europe/London``."""
    cut_off: time
    """Local time; what is ordered at or after it takes the next route day."""
    lead_days: int = Field(default=1, ge=0)
    """Days between the order's day and its first route day."""
    days: tuple[Weekday, ...] = Field(
        default=(Weekday.MON, Weekday.TUE, Weekday.WED, Weekday.THU, Weekday.FRI), min_length=1
    )
    """Days the routes run where an account has none of its own."""
    holidays: tuple[date, ...] = ()
    """Days no route runs."""
    truck_pallets: int | None = Field(default=None, ge=1)
    """Pallet places of a truck; an order that takes more waits for a person."""

    _known = field_validator("time_zone")(_known_zone)


class Timing(_Frozen):
    """Timeouts and waits in seconds. The defaults are for AWS; a local bridge uses short ones."""

    webhook_timeout: int = Field(default=10, ge=1, le=30)
    """Longest run of a webhook function; the manifest's own holds where it is shorter."""
    pull_timeout: int = Field(default=60, ge=1, le=900)
    """Longest run of a pull function, likewise."""
    target_timeout: int = Field(default=60, ge=1, le=900)
    """Longest run of a target function, likewise."""
    call_timeout: float = Field(default=25, gt=0)
    """One vendor call. Running out of it is an unknown outcome, not a failure."""
    lease: int = Field(default=70, ge=1)
    """How long a worker holds an entity at most; not shorter than ``target_timeout``."""
    merge_deadline: float = Field(default=1.5, gt=0)
    """A merge slower than this is given up, and the delivery spilled and acknowledged."""
    resync_after: int = Field(default=300, ge=1)
    """A link that is behind for longer gets another hint."""
    settle: float = Field(default=5, ge=0)
    """A stock level, price or product waits so long before it goes to a shop, so that a burst of
    changes becomes one call; what was just sold does not wait."""
    late_after: int = Field(default=1800, ge=1)
    """A link that is behind for longer is late, and so is a spilled delivery nobody has finished:
    the hourly check counts them, and an alarm says so. Longer than ``resync_after``, so that the
    sweeper has had its turn."""
    sweep_every: int = Field(default=60, ge=60)
    """How often the sweeper looks; whole minutes."""
    watch_every: int = Field(default=300, ge=60, le=900)
    """How often it is counted what is held, parked and about to expire; whole minutes."""
    visibility: int = Field(default=360, ge=1, le=43200)
    """How long a queue hides a message in work; on AWS at least six times ``target_timeout``."""
    probe_after: int = Field(default=60, ge=1)
    """A vendor that does not answer is left alone for about so long before it is tried again; then
    for twice as long, and so on."""
    probe_at_most: int = Field(default=900, ge=1)
    """But no longer than this."""
    poll_overlap: int = Field(default=900, ge=0)
    """How far a poll reads back; at least the vendor's longest transaction, and what its clock may
    be behind ours."""

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.lease < self.target_timeout:
            raise ValueError(
                "lease must not be shorter than target_timeout, or two workers hold one"
            )
        if self.call_timeout >= min(self.pull_timeout, self.target_timeout):
            raise ValueError("call_timeout must be shorter than pull_timeout and target_timeout")
        if self.visibility < max(self.pull_timeout, self.target_timeout):
            raise ValueError("visibility must not be shorter than the functions' timeouts")
        if self.late_after <= self.resync_after:
            raise ValueError("late_after must be longer than resync_after")
        if self.merge_deadline >= self.webhook_timeout:
            raise ValueError("merge_deadline must be shorter than webhook_timeout")
        return self


class AlarmPolicy(_Frozen):
    """When somebody is woken. Each alarm's page says what to do; see `operate.md`."""

    runbooks: str = "docs/runbooks"
    """Where the pages are, without a slash at the end; every alarm's text links to its own."""
    held_orders: int = Field(default=20, ge=1)
    """So many orders of one source held for one reason are an alarm."""
    held_by_reason: Mapping[HoldReason, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    """The same for a reason of its own: `CREDIT = 200` where credit holds are everyday work."""
    held_value: Decimal = Field(default=Decimal(10_000), gt=0)
    """Gross of the held orders of one source that is an alarm, in each currency watched."""
    currencies: tuple[Currency, ...] = ()
    """Currencies watched beside the company's own; orders in others are counted, not summed."""
    silence_percent: Decimal = Field(default=Decimal(10), ge=0, le=100)
    """A source is silent where an hour brings no more than this part of what it usually does."""
    silence_orders: int = Field(default=5, ge=1)
    """An hour of the week that usually brings fewer orders than this is never called silent."""
    silence_weeks: int = Field(default=4, ge=2, le=12)
    """So many weeks say what is usual: the median of the same hour in them."""
    expiry_days: int = Field(default=14, ge=1)
    """A key or token with no more days left than this is an alarm."""
    unwatched_hours: int = Field(default=26, ge=1)
    """A source whose webhooks were last seen in place so long ago is an alarm; the rarest watch of
    a platform is once a day."""


class CanaryPolicy(_Frozen):
    """An order of ours that goes all the way, again and again, so that silence is noticed."""

    connection: ConnectionName
    """The shop it pretends to come from: a connection of its own, which owns ``order.request`` and
    nothing else, of a platform that takes our own records. A route says where it goes."""
    sku: str
    """What is ordered: a test item of the target's that is no stock, at no price."""
    every: Every = "2 minutes"
    """The interval; each order is cancelled when the next one is placed."""
    within: int = Field(default=120, ge=60)
    """Seconds in which an order must be at its target; one that is not raises the alarm at the next
    minute."""

    @property
    def interval(self) -> timedelta:
        """``every``, to reckon with."""
        number, unit = self.every.split()
        return timedelta(**{unit if unit.endswith("s") else f"{unit}s": int(number)})


class SandboxProcess(_Frozen):
    """A platform's sandbox that the local stack starts beside the emulator."""

    platform: str
    """Whose sandbox."""
    port: int = Field(ge=1024, le=65535)
    """Where it listens on this machine."""
    seed: str | None = None
    """JSON file of what it knows at the start, beside the bridge file."""


class Local(_Frozen):
    """What only the local stack looks at; never compiled into the functions' configuration."""

    sandboxes: tuple[SandboxProcess, ...] = ()


class Bridge(_Frozen):
    """The whole of ``bridge.toml``."""

    company: Company
    connections: tuple[Connection, ...] = Field(min_length=1)
    routes: tuple[Route, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    catalogue: CatalogueFiles | None = None
    notifications: tuple[Notification, ...] = ()
    limits: Limits = Limits()
    credit: CreditPolicy | None = None
    """None means that no credit is checked."""
    stock: StockPolicy | None = None
    """None means that orders are not held against stock and none is published."""
    delivery: DeliveryPolicy | None = None
    """None means that no delivery day is promised."""
    timing: Timing = Timing()
    alarms: AlarmPolicy = AlarmPolicy()
    canary: CanaryPolicy | None = None
    """None means that no synthetic order is placed."""
    local: Local = Local()

    @property
    def targets(self) -> tuple[ConnectionName, ...]:
        """Connections that a route leads to."""
        found = {target for route in self.routes for target in route.targets}
        return tuple(one.name for one in self.connections if one.name in found)

    @property
    def watched_currencies(self) -> tuple[Currency, ...]:
        """Currencies in which the value of held and parked orders is watched."""
        return tuple(dict.fromkeys((self.company.currency, *self.alarms.currencies)))

    def connection(self, name: str) -> Connection:
        """Return the connection of that name.

        Raises:
            KeyError: The bridge has no such connection.
        """
        for connection in self.connections:
            if connection.name == name:
                return connection
        raise KeyError(name)


class BridgeFileError(Exception):
    """The bridge file, or a file it names, is wrong; ``mistakes`` has one line for each."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class FunctionSettings(_Frozen):
    """A function's environment. Only what its own work needs is there; the rest is None."""

    stage: str
    table: str
    bucket: str
    bus: str
    connection: str | None = None
    pull_queue: str | None = None
    dlq: str | None = None
    assess_queue: str | None = None
    signing_secret: str | None = None
    api_secret: str | None = None
    subscription_secret: str | None = None
    webhook_url: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the ``FIZZBRIDGE_*`` variables; an empty one counts as absent."""
        found = {name: environment.get(f"FIZZBRIDGE_{name.upper()}") for name in cls.model_fields}
        return cls.model_validate({name: value for name, value in found.items() if value})


CONFIG_PACKAGE = "bridge_config"
_CATALOGUE = tuple[CatalogueItem, ...]
_SCHEMES = tuple[Scheme, ...]
_PRICES = tuple[ListPrice, ...]


def compile_bridge(
    bridge: Bridge,
    catalogue: tuple[CatalogueItem, ...] = (),
    schemes: tuple[Scheme, ...] = (),
    prices: tuple[ListPrice, ...] = (),
) -> dict[str, bytes]:
    """Return the files of the configuration layer's package by name.

    The product facts are apart from the bridge so that a webhook function need not read them.
    """
    return {
        "__init__.py": b'"""The compiled bridge file; made by the deployment."""\n',
        "bridge.json": bridge.model_dump_json(exclude={"local"}).encode(),
        "catalogue.json": TypeAdapter(_CATALOGUE).dump_json(catalogue),
        "schemes.json": TypeAdapter(_SCHEMES).dump_json(schemes),
        "prices.json": TypeAdapter(_PRICES).dump_json(prices),
    }


@cache
def load_bridge() -> Bridge:
    """Return the bridge this function was deployed with."""
    return Bridge.model_validate_json(_config_file("bridge.json"))


@cache
def load_catalogue() -> tuple[CatalogueItem, ...]:
    """Return the product facts this function was deployed with."""
    return TypeAdapter(_CATALOGUE).validate_json(_config_file("catalogue.json"))


@cache
def load_schemes() -> tuple[Scheme, ...]:
    """Return the deposit and levy rates this function was deployed with."""
    return TypeAdapter(_SCHEMES).validate_json(_config_file("schemes.json"))


@cache
def load_prices() -> tuple[ListPrice, ...]:
    """Return the prices this function was deployed with."""
    return TypeAdapter(_PRICES).validate_json(_config_file("prices.json"))


def load_bridge_file(path: Path, root: Path | None = None, *, stage: str = "local") -> Bridge:
    """Read and check a bridge file with everything it names.

    Args:
        path: The ``bridge.toml``.
        root: Top folder of the project, for the platforms' manifests; found from here by default.
        stage: Where it is meant for. Only ``local`` may point at plain http on this machine.

    Raises:
        BridgeFileError: Something is wrong; every mistake found is listed.
    """
    # Imported on use: functions load this module and never read the file.
    from fizzbridge.bridge_file import read

    return read(path, root, stage=stage)


def _config_file(name: str) -> bytes:
    return resources.files(CONFIG_PACKAGE).joinpath(name).read_bytes()
