"""People and companies. Every field here is personal: it stays in part bodies, off the bus."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fizzbridge.model.base import Country, Frozen

Personal = Annotated[str, Field(repr=False)]


class Address(Frozen):
    """A postal address as the customer gave it."""

    name: Personal = ""
    company: Personal = ""
    street: Personal = ""
    street2: Personal = ""
    city: Personal = ""
    region: str = ""
    """ISO 3166-2 part after the country, where the source has it."""
    postal_code: Personal = ""
    country: Country | None = None
    phone: Personal = ""


class Company(Frozen):
    """The business behind an order."""

    id: str
    """The source's id of the company."""
    location_id: str = ""
    """The source's id of the outlet ordered for."""
    name: Personal = ""
    account: str = ""
    """Our or the ERP's account number, where the source carries it."""
    vat_number: Personal = ""


class Contact(Frozen):
    """How to reach the buyer."""

    name: Personal = ""
    email: Personal = ""
    phone: Personal = ""
    language: str = ""
