"""Lists of records: searched for, or deleted. NetSuite answers them in pages.

A later page is a search of its own there: what no longer matches is missing from it, and what came
after has moved up. So a list is only read to its end where that does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

from fizzbridge.http.client import VendorClient
from fizzbridge.wire import moment
from platforms.netsuite_soap.transport import CORE, as_record, call, kind, plain
from platforms.netsuite_soap.wire import Availability

PAGE = 200


class Found(NamedTuple):
    """One page of a list.

    Attributes:
        records: what is on it.
        total: how many there are on all pages.
        size: how many a page holds.
        pages: how many pages there are.
        search_id: names the search to those who ask for its other pages.
    """

    records: list[dict[str, Any]]
    total: int = 0
    size: int = PAGE
    pages: int = 0
    search_id: str = ""


def searched(
    vendor: VendorClient,
    space: str,
    sort: str,
    basic: Mapping[str, Any],
    *,
    whole: bool = False,
    size: int = PAGE,
) -> Found:
    """The first page of what matches; ``whole`` is with the lists of each record."""
    asked = {"searchRecord": kind(space, sort) | {"basic": basic}}
    header = _preferences(size, whole=whole)
    return _results(call(vendor, "search", asked, space=space, header=header))


def rest(vendor: VendorClient, first: Found, *, whole: bool = False) -> list[dict[str, Any]]:
    """What a search found on all pages but the first."""
    header = _preferences(first.size, whole=whole)
    records: list[dict[str, Any]] = []
    for page in range(2, first.pages + 1):
        more = {"searchId": first.search_id, "pageIndex": page}
        records += _results(call(vendor, "searchMoreWithId", more, header=header)).records
    return records


def search(
    vendor: VendorClient, space: str, sort: str, basic: Mapping[str, Any], *, whole: bool = False
) -> list[dict[str, Any]]:
    """All that match; ``whole`` is with the lists of each record."""
    first = searched(vendor, space, sort, basic, whole=whole)
    return first.records + rest(vendor, first, whole=whole)


def deleted(vendor: VendorClient, conditions: Mapping[str, Any], page: int = 1) -> Found:
    """A page of what was deleted: ``deletedDate``, and ``record`` with id and ``type``."""
    asked = {"getDeletedFilter": conditions, "pageIndex": page}
    response = call(vendor, "getDeleted", asked, space=CORE)
    return _page(response, "getDeletedResult", "deletedRecordList", "deletedRecord")


def available(vendor: VendorClient, items: Sequence[str]) -> list[Availability]:
    """What is where of items that are kept in stock."""
    refs = [{"@internalId": one} for one in items]
    asked = {"itemAvailabilityFilter": {"item": {"recordRef": refs}}}
    response = call(vendor, "getItemAvailability", asked, space=CORE)
    result = f"{{{CORE}}}getItemAvailabilityResult"
    path = f"{result}/{{{CORE}}}itemAvailabilityList/{{{CORE}}}itemAvailability"
    return [Availability.model_validate(plain(one)) for one in response.iterfind(path)]


def server_time(vendor: VendorClient) -> datetime:
    """NetSuite's own clock, which it stamps changes by."""
    told = call(vendor, "getServerTime", {}).findtext(
        f"{{{CORE}}}getServerTimeResult/{{{CORE}}}serverTime"
    )
    at = moment(told)
    if at is None:
        raise ValueError("NetSuite does not say what time it is")
    return at.astimezone(UTC)


def among(field: str, values: Sequence[str]) -> dict[str, Any]:
    """A condition on ids: ``internalId`` or ``externalId``."""
    refs = [{f"@{field}": value} | kind(CORE, "RecordRef") for value in values]
    return {"@operator": "anyOf"} | kind(CORE, "SearchMultiSelectField") | {"searchValue": refs}


def one_of(*words: str) -> dict[str, Any]:
    """A condition on a word of NetSuite's."""
    sort = kind(CORE, "SearchEnumMultiSelectField")
    return {"@operator": "anyOf"} | sort | {"searchValue": list(words)}


def within(since: datetime, until: datetime) -> dict[str, Any]:
    """A condition on a time; both ends belong to it."""
    ends = {"searchValue": _text(since), "searchValue2": _text(until)}
    return {"@operator": "within"} | kind(CORE, "SearchDateField") | ends


def between(first: int, last: int) -> dict[str, Any]:
    """A condition on a number; both ends belong to it."""
    ends = {"searchValue": first, "searchValue2": last}
    return {"@operator": "between"} | kind(CORE, "SearchLongField") | ends


def greater(than: int) -> dict[str, Any]:
    """A condition on a number."""
    return {"@operator": "greaterThan"} | kind(CORE, "SearchLongField") | {"searchValue": than}


def is_not() -> dict[str, Any]:
    """A condition on a truth: that it is none."""
    return kind(CORE, "SearchBooleanField") | {"searchValue": False}


def _text(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _preferences(size: int, *, whole: bool) -> dict[str, Any]:
    wanted = {"bodyFieldsOnly": not whole, "returnSearchColumns": False, "pageSize": size}
    return {"searchPreferences": wanted}


def _results(response: ET.Element) -> Found:
    return _page(response, "searchResult", "recordList", "record")


def _page(response: ET.Element, name: str, *path: str) -> Found:
    result = response.find(f"{{{CORE}}}{name}")
    if result is None:
        return Found([])
    total, size, pages = (
        int(result.findtext(f"{{{CORE}}}{one}") or 0)
        for one in ("totalRecords", "pageSize", "totalPages")
    )
    records = result.iterfind("/".join(f"{{{CORE}}}{step}" for step in path))
    search_id = result.findtext(f"{{{CORE}}}searchId") or ""
    return Found([as_record(one) for one in records], total, size, pages, search_id)
