"""Companies of the sandbox shop, which come with a module of their own."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from platforms.magento.sandbox_values import NULL, Json, RefusedError, known, street

PENDING, APPROVED, REJECTED, BLOCKED = range(4)
NAMES = {
    "name": "company_name",
    "legal_name": "legal_name",
    "email": "company_email",
    "vat_id": "vat_tax_id",
    "reseller_id": "reseller_id",
    "comment": "comment",
    "city": "city",
    "country": "country_id",
    "state": "region",
    "region_id": "region_id",
    "postcode": "postcode",
    "phone": "telephone",
}
"""What a draft calls a field, and what the vendor does."""
LINES = {"address_1", "address_2"}
CHANGES = {*NAMES, *LINES, "status", "reject_reason"}
COMPANY = CHANGES | {"group_id"}
COLUMNS = set(
    "entity_id status company_name legal_name company_email vat_tax_id reseller_id comment street"
    " city country_id region region_id postcode telephone customer_group_id"
    " sales_representative_id super_user_id reject_reason rejected_at".split()
)
"""The table has no date of change."""


class Companies:
    """Who buys on account.

    Args:
        now: gives the time as the shop writes it.
        notify: tells of one change: event, entity id, what people call it, its body.
    """

    def __init__(
        self, now: Callable[[], str], notify: Callable[[str, int, str, Json], None]
    ) -> None:
        self._now = now
        self._notify = notify
        self._ids = itertools.count(2)
        self.rows: dict[int, Json] = {}

    def named(self, name: str) -> Json | None:
        """A company by its name."""
        same = (one for one in self.rows.values() if one["company_name"] == name)
        return next(same, None)

    def add(self, given: Json, head: int) -> Json:
        """Enter a company whose first account is there.

        Args:
            given: what is known of it; the rest is made up, but for what is None.
            head: the number of the account that speaks for it.
        """
        check(given)
        blank = {"legal_name": given["name"], "city": "Leeds", "country": "GB"}
        blank |= {"postcode": "LS1 1AA", "phone": "0113 000"}
        full = blank | given
        number = next(self._ids)
        company: Json = {"id": number, "status": APPROVED}
        company |= {name: full.get(key) for key, name in NAMES.items()}
        company |= {
            "street": street(given) or ["1 Dock Rd"],
            "customer_group_id": given.get("group_id", 2),
            "sales_representative_id": 1,
            "reject_reason": NULL,
            "rejected_at": NULL,
            "super_user_id": head,
            "extension_attributes": {
                "applicable_payment_method": 0,
                "available_payment_methods": "checkmo,purchaseorder,companycredit",
                "use_config_settings": 1,
                "quote_config": {"is_quote_enabled": False},
                "is_company_address_book_enabled": False,
                "is_custom_shipping_address_allowed": False,
            },
        }
        self._move(company, given)
        self.rows[number] = company
        self._tell(company)
        return company

    def change(self, number: int, changes: Json) -> Json:
        """Write what staff entered, or decide on a company."""
        known(changes, CHANGES, "changes")
        company = self.get(number)
        _checked(changes)
        company |= {NAMES[name]: one for name, one in changes.items() if name in NAMES}
        if LINES & set(changes):
            company["street"] = street(changes)
        self._move(company, changes)
        self._tell(company)
        return company

    def delete(self, number: int) -> Json:
        """Take a company out, of which nobody is told."""
        company = self.get(number)
        del self.rows[number]
        return company

    def get(self, number: int) -> Json:
        """A company, or a refusal."""
        if number not in self.rows:
            raise RefusedError(f"no company {number}")
        return self.rows[number]

    def _move(self, company: Json, given: Json) -> None:
        if "status" not in given:
            return
        is_rejected = given["status"] == REJECTED
        company |= {
            "status": given["status"],
            "reject_reason": given.get("reject_reason", NULL) if is_rejected else NULL,
            "rejected_at": self._now() if is_rejected else NULL,
        }

    def _tell(self, company: Json) -> None:
        # It has no date of change that the module could send along.
        body = company | {"updated_at": None}
        self._notify("company.saved", company["id"], company["company_name"], body)


def check(given: Any) -> None:
    """Refuse a draft of a company that can be none."""
    known(given, COMPANY, "company")
    for name in ("name", "email"):
        if not given.get(name):
            raise RefusedError(f"a company has a {name}")
    _checked(given)


def _checked(given: Json) -> None:
    status = given.get("status", APPROVED)
    if isinstance(status, bool) or status not in range(4):
        raise RefusedError(f"no status of a company: {status}")
    if "reject_reason" in given and status != REJECTED:
        raise RefusedError("only a company that is rejected has a reason for it")
    if "country" in given and len(str(given["country"])) != 2:
        raise RefusedError(f"no code of a country: {given['country']}")
