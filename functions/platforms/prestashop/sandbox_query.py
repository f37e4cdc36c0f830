"""Filters, sorting, pages and chosen fields of a list, and what of them the Webservice refuses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from platforms.prestashop.sandbox_fields import Field, Resource, Row
from platforms.prestashop.sandbox_wire import VendorError, is_name

PARAMETERS = set(
    "ws_key output_format io_format display sort limit date schema language id_shop"
    " id_group_shop sendemail".split()
)
MOMENT = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?")
NUMBERS = "id uint int bool on one price impact float rate percent factor".split()
Test = Callable[[Row], bool]


@dataclass(frozen=True)
class ListQuery:
    """What the address asks of a list."""

    resource: Resource
    query: Mapping[str, str]

    def rows(self, rows: Sequence[Row]) -> list[Row]:
        """The rows asked for, in order."""
        self._refuse_unknown()
        tests = [
            self._test(name[7:-1], value)
            for name, value in self.query.items()
            if name.startswith("filter[") and name.endswith("]")
        ]
        found = [row for row in rows if all(test(row) for test in tests)]
        for name, is_falling in reversed(self._order()):
            found.sort(key=lambda row: self._key(name, str(row[name])), reverse=is_falling)
        start, count = self._limit()
        return found[start : None if count is None else start + count]

    def fields(self, *, is_alone: bool = False) -> tuple[str, ...] | None:
        """The fields to show: None is all of them, none is only ids."""
        display = self.query.get("display")
        if display == "full" or (display is None and is_alone):
            return None
        if display in (None, "minimal"):
            return ()
        inner = re.fullmatch(r"\[(.*)\]", str(display))
        if inner is None:
            told = 'The "display" value takes "full" or fields between brackets.'
            raise VendorError(400, (36, told))
        names = tuple(name.strip() for name in inner[1].split(","))
        for name in names:
            if name != "id" and name not in self.resource.by_name:
                told = f'Unable to display the field "{name}": it is not in {self._all()}'
                raise VendorError(400, (35, told))
        return names

    @property
    def _has_dates(self) -> bool:
        return self.query.get("date", "0") not in ("", "0")

    def _all(self) -> str:
        return ", ".join(["id", *self.resource.by_name])

    def _refuse_unknown(self) -> None:
        for name in self.query:
            is_filter = name.startswith("filter[") and name.endswith("]")
            if not is_filter and name not in PARAMETERS:
                raise VendorError(400, (32, f'The parameter "{name}" means nothing here'))

    def _field(self, name: str) -> Field:
        if name == "id":
            return Field("id", "id", "", "")
        found = self.resource.by_name.get(name)
        is_date = found is not None and found.format == "date"
        if found is None or not is_name(name) or (is_date and not self._has_dates):
            hint = ' Add "date=1" to the query.' if is_date else ""
            told = f'This filter does not exist: "{name}".{hint} Filters: {self._all()}'
            raise VendorError(400, (32, told))
        return found

    # -- filters -----------------------------------------------------------------------------------

    def _test(self, name: str, value: str) -> Test:
        """One filter; text is compared as the shop's database does, without case."""
        if (named := self.resource.by_name.get(name)) and named.is_dynamic:
            raise VendorError(400, (34, f'The field "{name}" is dynamic and cannot be a filter'))
        one = self._field(name)
        form = re.fullmatch(r"([<>!%]?)\[(.*)\](%?)", value)
        sign, inner, tail = (form[1], form[2], form[3]) if form else ("", value, "")
        if (sign and sign != "%" and tail) or (sign == "%" and not tail):
            raise VendorError(400, (32, f'This filter value is not understood: "{value}"'))
        if sign in ("<", ">"):
            bound = self._value(one, inner)
            above = sign == ">"
            return lambda row: (
                self._key(name, str(row[name])) > bound
                if above
                else self._key(name, str(row[name])) < bound
            )
        if tail:
            text = inner.lower()
            if sign:
                return lambda row: text in str(row[name]).lower()
            return lambda row: str(row[name]).lower().startswith(text)
        return self._any_of(one, inner, is_not=sign == "!", has_brackets=form is not None)

    def _any_of(self, one: Field, inner: str, *, is_not: bool, has_brackets: bool) -> Test:
        name = one.name
        if has_brackets and "|" in inner:
            values = [self._value(one, part) for part in inner.split("|")]
        elif has_brackets and "," in inner and not is_not:
            low, _, high = inner.partition(",")
            first, last = self._value(one, low), self._value(one, high)
            return lambda row: first <= self._key(name, str(row[name])) <= last
        else:
            values = [self._value(one, inner)]
        return lambda row: (self._key(name, str(row[name])) in values) is not is_not

    def _value(self, one: Field, text: str) -> tuple[Decimal, str]:
        if one.format == "date" and not MOMENT.fullmatch(text):
            told = f'"{text}" is no date: shop time as YYYY-MM-DD HH:MM:SS'
            raise VendorError(400, (32, told))
        return self._key(one.name, text)

    def _key(self, name: str, value: str) -> tuple[Decimal, str]:
        """Numbers by size, text without case, a day as its midnight."""
        one = self.resource.by_name.get(name)
        kind = one.format if one else "id"
        if kind in NUMBERS:
            try:
                return Decimal(value or "0"), ""
            except InvalidOperation:
                # The database reads a text as zero where it wants a number.
                return Decimal(0), ""
        if kind == "date" and len(value) == len("2026-11-20"):
            value += " 00:00:00"
        return Decimal(0), value.lower()

    # -- order and pages ---------------------------------------------------------------------------

    def _order(self) -> list[tuple[str, bool]]:
        text = self.query.get("sort")
        if text is None:
            return []
        inner = re.fullmatch(r"\[(.+)\]", text)
        named = inner[1].split(",") if inner else []
        parts = [re.fullmatch(r"(\w+)_(ASC|DESC)", part) for part in named]
        if not parts or None in parts:
            raise VendorError(400, (37, 'The "sort" value reads [field_ASC,other_DESC]'))
        order = [(part[1], part[2] == "DESC") for part in parts if part]
        for name, _ in order:
            one = self.resource.by_name.get(name)
            is_known = name == "id" or (one is not None and not one.is_dynamic)
            is_date = one is not None and one.format == "date"
            if not is_known or (is_date and not self._has_dates):
                told = f'Unable to sort by "{name}". Fields: {self._all()}'
                raise VendorError(400, (38, told))
        return order

    def _limit(self) -> tuple[int, int | None]:
        text = self.query.get("limit")
        if text is None:
            return 0, None
        form = re.fullmatch(r"(?:(\d+),)?(\d+)", text)
        if form is None:
            raise VendorError(400, (39, 'The "limit" value reads "offset,count" or "count"'))
        return int(form[1] or 0), int(form[2])
