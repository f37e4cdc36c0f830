"""The shop's rows, and those a fresh shop has before anybody buys."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from platforms.prestashop.sandbox_fields import RESOURCES, ZERO_DATE, Row, blank

Json = dict[str, Any]

CENT = Decimal("0.01")
MICRO = Decimal("0.000001")
OPENED = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""The shop is older than whatever happens in it."""
CHECK, PAID, SHIPPED, CANCELLED, REFUNDED, ERROR, WIRE, REMOTE = 1, 2, 4, 6, 7, 8, 10, 11
STATES: tuple[tuple[int, str, str, str], ...] = (
    # The database's own order, not that of the ids.
    (2, "Payment accepted", "payment", "paid logable invoice"),
    (3, "Processing in progress", "preparation", "paid logable delivery invoice"),
    (4, "Shipped", "shipped", "paid shipped delivery logable invoice"),
    (5, "Delivered", "", "paid shipped delivery logable invoice"),
    (6, "Canceled", "order_canceled", ""),
    (7, "Refunded", "refund", "invoice"),
    (8, "Payment error", "payment_error", ""),
    (9, "On backorder (paid)", "outofstock", "paid invoice"),
    (11, "Remote payment accepted", "payment", "paid logable invoice"),
    (12, "On backorder (not paid)", "outofstock", ""),
    (13, "Awaiting Cash On Delivery validation", "cashondelivery", ""),
    (1, "Awaiting check payment", "cheque", ""),
    (10, "Awaiting bank wire payment", "bankwire", ""),
)
MODULES = {1: "ps_checkpayment", 10: "ps_wirepayment", 13: "ps_cashondelivery"}
PAYMENTS = {
    "ps_wirepayment": "Bank transfer",
    "ps_checkpayment": "Payment by check",
    "ps_cashondelivery": "Cash on delivery",
}
COUNTRIES = {"DE": 1, "AT": 2, "BE": 3, "ES": 6, "FR": 8, "IT": 10, "NL": 13, "PL": 14, "GB": 17}
COUNTRIES |= {"SE": 18, "CH": 19, "DK": 20, "US": 21, "IE": 26}
COUNTRY_STATES = {"US": ("CA", "FL", "NY", "WA"), "IT": ("MI", "RM"), "ES": ("M", "B")}
SYMBOLS = {"GBP": ("£", "826"), "EUR": ("€", "978"), "USD": ("$", "840")}
GUESTS, BUYERS = 2, 3


class RefusedError(ValueError):
    """The shop would not do this, or the draft for it is malformed."""


def known(given: Json, keys: set[str], what: str) -> None:
    """Refuse keys that mean nothing here, so that a typing error in a test is seen."""
    if unknown := set(given) - keys:
        raise RefusedError(f"unknown in {what}: {', '.join(sorted(unknown))}")


def cents(value: Decimal) -> Decimal:
    """To the cent, halves up."""
    return value.quantize(CENT, ROUND_HALF_UP)


def price(value: Decimal) -> str:
    """An amount as the shop keeps it."""
    return str(value.quantize(MICRO, ROUND_HALF_UP))


def net_of(gross: Decimal, rate: Decimal) -> Decimal:
    """A price without its tax; what does not fit into six decimals is cut off, not rounded."""
    return (gross / (1 + rate / 100)).quantize(MICRO, ROUND_DOWN)


class Tables:
    """All rows by resource and id, as they came.

    Args:
        seed: what the shop is like.
        clock: gives the time.
    """

    def __init__(self, seed: Json, clock: Callable[[], datetime]) -> None:
        self.seed = seed
        self.clock = clock
        self.zone = ZoneInfo(seed["timezone"])
        self.rows: dict[str, dict[int, Row]] = {plural: {} for plural in RESOURCES}
        first = int(seed["first_id"])
        # Numbers of different things never meet, so that a mix-up is seen.
        self._next = {
            kind: first + 1000 * place
            for place, kind in enumerate((*RESOURCES, "order_slip_details"), 1)
        } | {"orders": first}
        self._opened()

    def add(self, plural: str, values: Json, number: int | None = None) -> Row:
        """Keep a new row; fields not given hold what an unwritten field holds."""
        if number is None:
            number = self.next_of(plural)
        row: Row = {"id": number} | blank(RESOURCES[plural])
        for name, value in values.items():
            row[name] = value if name.startswith("_") else str(value)
        self.rows[plural][number] = row
        return row

    def next_of(self, kind: str) -> int:
        """The next number for a thing of that kind."""
        number = self._next[kind]
        self._next[kind] += 1
        return number

    def where(self, plural: str, **values: Any) -> list[Row]:
        """The rows that hold these values."""
        wanted = {name: str(value) for name, value in values.items()}
        rows = self.rows[plural].values()
        return [row for row in rows if all(str(row[n]) == v for n, v in wanted.items())]

    def first(self, plural: str, **values: Any) -> Row | None:
        """The oldest such row."""
        return next(iter(self.where(plural, **values)), None)

    def local(self, at: datetime | None = None) -> str:
        """A time on the shop's own clock, without its zone."""
        return f"{(at or self.clock()).astimezone(self.zone):%Y-%m-%d %H:%M:%S}"

    def flags(self, state: Any) -> Row:
        """An order state."""
        found = self.rows["order_states"].get(int(state))
        if found is None:
            raise RefusedError(f"no order state {state}")
        return found

    def config(self, name: str) -> str:
        """A setting of the shop."""
        row = self.first("configurations", name=name)
        return "" if row is None else str(row["value"])

    def tax_group(self, rate: Decimal) -> int:
        """The rules group for a tax rate, made when it is new; nothing for no tax."""
        if not rate:
            return 0
        text = f"{rate:.3f}"
        tax = self.first("taxes", rate=text)
        if tax is None:
            tax = self.add("taxes", {"rate": text, "name": f"VAT {rate:f}%"})
        rule = self.first("tax_rules", id_tax=tax["id"])
        if rule is None:
            group = self.add("tax_rule_groups", {"name": f"VAT {rate:f}%"} | self._dates())
            given = {"id_tax_rules_group": group["id"], "id_tax": tax["id"]}
            home = COUNTRIES.get(self.seed["country"], 17)
            rule = self.add("tax_rules", given | {"id_country": home})
        return int(rule["id_tax_rules_group"])

    def rate_of(self, group: Any) -> Decimal:
        """The tax rate of a rules group, in percent."""
        rule = self.first("tax_rules", id_tax_rules_group=group)
        return Decimal(self.rows["taxes"][int(rule["id_tax"])]["rate"]) if rule else Decimal(0)

    def taxes_of(self, group: Any) -> list[Row]:
        """The taxes of a rules group as a list inside a row."""
        rules = self.where("tax_rules", id_tax_rules_group=group)
        return [{"id": rule["id_tax"]} for rule in rules]

    def currency(self, code: str) -> Row:
        """The currency of that code."""
        found = self.first("currencies", iso_code=code)
        if found is None:
            raise RefusedError(f"the shop does not sell in {code}")
        return found

    def carrier(self, name: str) -> Row:
        """The carrier of that name, made when it is new."""
        found = self.first("carriers", name=name)
        if found is None:
            found = self.add("carriers", {"name": name, "delay": "Next working day"})
            found["id_reference"] = str(found["id"])
        return found

    def _dates(self, at: datetime = OPENED) -> Json:
        return dict.fromkeys(("date_add", "date_upd"), self.local(at))

    def _opened(self) -> None:
        """What a fresh shop holds."""
        seed = self.seed
        for number, name, template, flags in STATES:
            marks = dict.fromkeys(flags.split(), "1")
            module = MODULES.get(number, "")
            texts = {"name": name, "template": template, "module_name": module}
            self.add("order_states", marks | texts | {"color": "#34209E"}, number)
        for number, code in enumerate(seed["languages"], 1):
            tags = {"iso_code": code, "locale": f"{code}-{code.upper()}", "language_code": code}
            formats = {"date_format_lite": "Y-m-d", "date_format_full": "Y-m-d H:i:s"}
            self.add("languages", {"name": code.upper()} | tags | formats, number)
        for code, number in COUNTRIES.items():
            has_states = int(code in COUNTRY_STATES)
            facts = {"iso_code": code, "name": code, "id_zone": 1, "active": 1}
            facts |= {"contains_states": has_states, "need_zip_code": 1, "display_tax_label": 1}
            self.add("countries", facts, number)
            for state in COUNTRY_STATES.get(code, ()):
                given = {"id_country": number, "id_zone": 1, "iso_code": state, "name": state}
                self.add("states", given)
        rates: dict[str, str] = {seed["currency"]: "1.000000"} | seed["currencies"]
        for number, (code, rate) in enumerate(rates.items(), 1):
            symbol, digits = SYMBOLS.get(code, (code, ""))
            texts = {"names": code, "name": code, "symbol": symbol, "iso_code": code}
            facts = {"numeric_iso_code": digits, "precision": 2, "conversion_rate": rate}
            self.add("currencies", texts | facts, number)
        self._opened_shops()
        usual = [{"name": name} for name in ("Visitor", "Guest", "Customer")]
        for number, group in enumerate([*usual, *seed["groups"]], 1):
            shown = group.get("price_display_method", seed["price_display_method"])
            facts = {"name": group["name"], "price_display_method": shown}
            self.add("groups", facts | self._dates(), number)
        self.carrier(seed["carrier"])
        self.tax_group(Decimal(str(seed["tax_rate"])))

    def _opened_shops(self) -> None:
        seed = self.seed
        for shop in seed["shops"]:
            group = int(shop.get("id_shop_group", 1))
            if group not in self.rows["shop_groups"]:
                self.add("shop_groups", {"name": f"Group {group}"}, group)
            facts = {"id_shop_group": group, "name": shop["name"], "id_category": 2}
            self.add("shops", facts | {"theme_name": "classic"}, int(shop["id"]))
        for name, value in {
            "PS_TIMEZONE": seed["timezone"],
            "PS_SHOP_NAME": seed["shops"][0]["name"],
            "PS_CURRENCY_DEFAULT": 1,
            "PS_LANG_DEFAULT": 1,
            "PS_COUNTRY_DEFAULT": COUNTRIES.get(seed["country"], 17),
            "PS_B2B_ENABLE": int(bool(seed["b2b"])),
            "PS_STOCK_MANAGEMENT": 1,
            "PS_ROUND_TYPE": seed["round_type"],
            "PS_PRICE_ROUND_MODE": 2,
            "PS_OS_PAYMENT": PAID,
            "PS_OS_CANCELED": CANCELLED,
            "PS_OS_REFUND": REFUNDED,
            "PS_OS_ERROR": ERROR,
            "PS_OS_WS_PAYMENT": REMOTE,
        }.items():
            self.add("configurations", {"name": name, "value": value} | self._dates())


def secret_of(*parts: Any) -> str:
    """A value that looks like the shop's random keys and is the same each time."""
    return hashlib.md5("/".join(map(str, parts)).encode()).hexdigest()  # noqa: S324  the vendor's


def reference_of(number: int) -> str:
    """Nine letters for an order."""
    digest = hashlib.sha256(str(number).encode()).digest()
    return "".join(chr(ord("A") + byte % 26) for byte in digest[:9])


def is_zero(value: str) -> bool:
    """Whether a date says nothing."""
    return value in ("", ZERO_DATE)
