"""What codes are called on the other side."""

from __future__ import annotations

from fizzbridge.runtime import rows
from fizzbridge.runtime.maps import IdMaps
from fizzbridge.state.memory import MemoryTable
from fizzbridge.state.table import Write


def test_a_code_is_called_what_was_said_and_what_has_no_code_nothing():
    table = MemoryTable()
    table.write(Write(rows.map_pk("erp", "location"), "70", set={"mapped": "main"}))
    maps = IdMaps(table, "erp")
    assert (maps.get("location", "70"), maps.get("location", "71")) == ("main", None)
    # A level of a system with one place for everything names none.
    assert maps.get("location", "") is None
