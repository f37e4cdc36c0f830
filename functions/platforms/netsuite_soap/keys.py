"""Our reference on a record: its external id, or a custom field where external ids are another's.

An external id is one per record and unique per record type, so an upsert under it makes one record
however often it is sent. A custom field is not: there an ``add`` follows a search.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fizzbridge.errors import AmbiguousMatchError, NotThereError, TargetRejectedError
from fizzbridge.http.client import VendorClient
from platforms.netsuite_soap.listing import search
from platforms.netsuite_soap.transport import CORE, get, kind, setting, write

_OURS = re.compile(r"[a-z][a-z0-9-]{0,30}:\S")
"""An external id made of one of our references."""


@dataclass(frozen=True)
class Keys:
    """How one type of record carries our reference.

    Attributes:
        sort: the type, as references name it.
        space: its namespace.
        record: the type, as ``xsi:type`` names it.
        search: the type that searches it.
        basic: what narrows that search to the type.
        setting: the connection's setting that names a custom field.
    """

    sort: str
    space: str
    record: str
    search: str
    setting: str
    basic: Mapping[str, Any] = field(default_factory=dict)

    def find(self, vendor: VendorClient, reference: str) -> str | None:
        """The id of the record with our reference.

        Raises:
            AmbiguousMatchError: several have it, or one has it in other letters.
        """
        key, script_id = external_id(reference), setting(vendor, self.setting)
        if script_id:
            found = self._having(vendor, script_id, key)
        else:
            try:
                found = [get(vendor, self.sort, externalId=key)]
            except NotThereError:
                return None
            if found[0].get("externalId") != key:
                # Another capital is the same external id there, and would be overwritten.
                msg = f"a {self.sort} in NetSuite has the external id {key} in other letters"
                raise AmbiguousMatchError(msg, platform=vendor.platform)
        if len(found) > 1:
            msg = f"{len(found)} of {self.sort} in NetSuite have the reference {key}"
            raise AmbiguousMatchError(msg, platform=vendor.platform)
        return str(found[0]["internalId"]) if found else None

    def _having(self, vendor: VendorClient, script_id: str, key: str) -> list[dict[str, Any]]:
        wanted = {"@scriptId": script_id, "@operator": "is", "searchValue": key}
        fields = {"customField": wanted | kind(CORE, "SearchStringCustomField")}
        basic = {"customFieldList": fields, **self.basic}
        found = search(vendor, self.space, self.search, basic)
        # Texts are compared without regard to case there.
        return [one for one in found if _is(one, script_id, key)]

    def is_on(self, vendor: VendorClient, record: Mapping[str, Any]) -> bool:
        """Whether a record has a reference of ours."""
        script_id = setting(vendor, self.setting)
        if script_id:
            return any(one.get("scriptId") == script_id for one in _custom(record))
        return bool(_OURS.match(str(record.get("externalId", ""))))

    def create(self, vendor: VendorClient, reference: str, fields: Mapping[str, Any]) -> str:
        """Make the record under our reference, or find that it is there."""
        key, script_id = external_id(reference), setting(vendor, self.setting)
        record = kind(self.space, self.record) | dict(fields)
        if script_id:
            own = {"@scriptId": script_id, "value": key} | kind(CORE, "StringCustomFieldRef")
            record |= {"customFieldList": {"customField": own}}
        else:
            record |= {"@externalId": key}
        try:
            return write(vendor, "add" if script_id else "upsert", record, self.space)
        except TargetRejectedError as error:
            if error.code != "DUP_RCRD":
                raise
            found = self.find(vendor, reference)
            if found is None:
                raise
            return found

    def update(
        self,
        vendor: VendorClient,
        internal_id: str,
        fields: Mapping[str, Any],
        was: Mapping[str, Any],
    ) -> None:
        """Write fields of a record; ``was`` is what they hold now."""
        record = kind(self.space, self.record) | {"@internalId": internal_id} | dict(fields)
        write(vendor, "update", record, self.space, was)


def external_id(reference: str) -> str:
    """A reference as NetSuite's own examples have it: ``shop-uk:5501``.

    Connection names have no colon, so distinct references stay distinct.
    """
    return reference.replace("/", ":", 1)


def _is(record: Mapping[str, Any], script_id: str, key: str) -> bool:
    return any(
        one.get("scriptId") == script_id and one.get("value") == key for one in _custom(record)
    )


def _custom(record: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    lists = record.get("customFieldList")
    fields = lists.get("customField", ()) if isinstance(lists, Mapping) else ()
    return [fields] if isinstance(fields, Mapping) else fields
