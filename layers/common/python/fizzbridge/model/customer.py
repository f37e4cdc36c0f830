"""The customer: a person with a basket, or a business on terms."""

from __future__ import annotations

from fizzbridge.model.base import Frozen
from fizzbridge.model.order import OrderClass
from fizzbridge.model.party import Address, Company, Contact, Personal


class Customer(Frozen):
    """Who buys. All of it is personal except the class."""

    contact: Contact
    company: Company | None = None
    addresses: tuple[Address, ...] = ()
    """The first is the default."""
    fixed_class: OrderClass | None = None
    """Set where the account decides how its orders are treated."""
    tax_number: Personal = ""
    is_erased: bool = False
