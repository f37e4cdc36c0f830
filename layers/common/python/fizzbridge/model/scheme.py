"""Deposit and levy rates: dated data of a place, from the company's own ``schemes.toml``."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from fizzbridge.model.base import Country, Exact, Frozen
from fizzbridge.model.catalogue import Material
from fizzbridge.model.money import Currency


class SchemeKind(StrEnum):
    """Given back on return, or not."""

    DEPOSIT = "DEPOSIT"
    LEVY = "LEVY"


class TaxMode(StrEnum):
    """How the amount is taxed."""

    EXCLUDED = "EXCLUDED"
    """Not at all, as long as it passes down the chain."""
    FOLLOWS_GOODS = "FOLLOWS_GOODS"
    """At the rates of the goods in the container."""
    OWN_RATE = "OWN_RATE"
    """At ``tax_rate``, whatever the goods bear."""


class Measure(StrEnum):
    """What the rate is for."""

    CONTAINER = "container"
    CRATE = "crate"
    """A returnable case that goes out with whole cases."""
    LITRE = "litre"
    FL_OZ = "fl_oz"
    """A US fluid ounce."""


class Scheme(Frozen):
    """One deposit or levy rate, valid for a span of days at the place of delivery.

    A scope that is left empty does not limit; every scope given must be met.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")]
    """Tells it apart; a new rate is a new row of the same name and other days."""
    kind: SchemeKind
    """Given back on return, or not."""
    countries: tuple[Country, ...] = Field(min_length=1)
    """Countries of delivery."""
    regions: tuple[str, ...] = ()
    """Parts of them: the ISO 3166-2 code after the country, ``CA`` or ``SCT``."""
    cities: tuple[str, ...] = ()
    """Cities of delivery, whatever the case of their letters."""
    currency: Currency
    """What the amount is in."""
    amount: Exact
    """The rate for one ``per``: the face value, read as the document's prices are read."""
    per: Measure = Measure.CONTAINER
    """What the rate is for."""
    tax_mode: TaxMode
    """How it is taxed."""
    tax_rate: Exact | None = None
    """A fraction, for OWN_RATE."""
    is_charged: bool = True
    """False for what somebody earlier in the chain pays: shown, never charged."""
    containers: tuple[str, ...] = ()
    """Types of container, as the catalogue's ``container`` or ``crate`` names them."""
    is_refillable: bool | None = None
    """Refillable containers only, or one-way containers only."""
    materials: tuple[Material, ...] = ()
    """What the container is made of."""
    min_ml: Exact | None = None
    """Smallest container, included."""
    above_ml: Exact | None = None
    """Larger than this."""
    max_ml: Exact | None = None
    """Largest container, included."""
    below_ml: Exact | None = None
    """Smaller than this."""
    has_added_sugar: bool | None = None
    """Drinks with added sugar only, or without only."""
    min_sugar_g: Exact | None = None
    """Least total sugar in 100 ml, included."""
    below_sugar_g: Exact | None = None
    """Less total sugar in 100 ml than this."""
    below_milk_percent: Exact | None = None
    """Less milk than this, by volume."""
    max_abv_percent: Exact | None = None
    """At most this much alcohol, by volume."""
    handling_fee: Exact | None = None
    """What the redeemer gets for each container beside the deposit."""
    unclaimed_share: Exact | None = None
    """The fraction of unclaimed deposits that is due to the state."""
    valid_from: date
    """First day."""
    valid_to: date | None = None
    """Last day, included; none means until further notice."""

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if (self.tax_mode is TaxMode.OWN_RATE) != (self.tax_rate is not None):
            raise ValueError("tax_rate goes with tax_mode OWN_RATE, and only with it")
        if self.per is Measure.CRATE and not self.containers:
            raise ValueError("containers must name the crates a rate per crate is for")
        return self

    def takes(self, container: str) -> bool:
        """Whether empties of a type are the scheme's: a container it names, or its own name."""
        return container in self.containers or container == self.name

    def is_valid_on(self, day: date) -> bool:
        """Whether the rate holds on that day, both ends included."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)
