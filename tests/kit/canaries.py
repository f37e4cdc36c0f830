"""A person's data nobody else has, planted wherever there is room for it, and where it turned up.

It may be in the bodies of parts, in the bucket under a claim check or a delivery's, and on its way
to a target. Anywhere else it is a leak.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_plus

from fizzbridge.model.customer import Customer
from fizzbridge.model.party import Address, Company, Contact

MAIL = "pip.quillfeather77@mail.example"
PHONE = "+44 1632 960777"
STREET = "77 Quillfeather Quay"
CITY = "Quillhampton"
POSTCODE = "QF7 7CA"
NAME = "Philippa Quillfeather"
COMPANY = "Quillfeather Sodas Ltd"
CARD = "4929 1357 2468 0013"
VAT = "GB913572468"
CANARIES = (MAIL, PHONE, STREET, CITY, POSTCODE, NAME, COMPANY, CARD, VAT)
FIRST, LAST = NAME.split()

_BY_KEY = {
    "mail": MAIL,
    "phone": PHONE,
    "mobile": PHONE,
    "zip": POSTCODE,
    "postcode": POSTCODE,
    "postal": POSTCODE,
    "city": CITY,
    "town": CITY,
    "street": STREET,
    "address1": STREET,
    "address_1": STREET,
    "address2": STREET,
    "address_2": STREET,
    "first_name": FIRST,
    "firstname": FIRST,
    "last_name": LAST,
    "lastname": LAST,
    "company": COMPANY,
    "vat": VAT,
    "note": f"ring {NAME}, card {CARD}",
    "comment": f"ring {NAME}, card {CARD}",
}
_WHOLE = {"name": NAME, "customer_name": NAME}

PLACE = Address(
    name=NAME,
    company=COMPANY,
    street=STREET,
    city=CITY,
    postal_code=POSTCODE,
    country="GB",
    phone=PHONE,
)
CONTACT = Contact(name=NAME, email=MAIL, phone=PHONE)
FIRM = Company(id="c1", name=COMPANY, vat_number=VAT)
BUYER = Customer(contact=CONTACT, company=FIRM, addresses=(PLACE,), tax_number=VAT)
ORDERED = {
    "contact": CONTACT,
    "company": FIRM,
    "bill_to": PLACE,
    "ship_to": PLACE,
    "note": f"ring {NAME}, card {CARD}",
    "properties": {"gift message": f"dear {NAME}"},
}


def planted(value: Any, key: str = "") -> Any:
    """A body with a canary in the place of every text that may be a person's."""
    if isinstance(value, dict):
        return {name: planted(inner, name.lower()) for name, inner in value.items()}
    if isinstance(value, list):
        return [planted(inner, key) for inner in value]
    if not isinstance(value, str):
        return value
    if key in _WHOLE and " " in value:
        return _WHOLE[key]
    return next((canary for word, canary in _BY_KEY.items() if word in key and value), value)


def found_in(texts: Mapping[str, str] | Iterable[str], *more: str) -> list[tuple[str, str]]:
    """Canaries, and other texts that must not be there, with where they are."""
    named = texts if isinstance(texts, Mapping) else {str(n): t for n, t in enumerate(texts)}
    forbidden = [one.lower() for one in (*CANARIES, FIRST, LAST, CARD.replace(" ", ""), *more)]
    leaks = []
    for where, text in named.items():
        plain = f"{text} {unquote_plus(text)} {_unescaped(text)}".lower()
        leaks += [(where, one) for one in forbidden if one in plain]
    return leaks


def _unescaped(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return ""
