from __future__ import annotations

from fizzbridge.errors import ConfigurationError
from fizzbridge.runtime.breaker import Breaker, read
from tests.kit.clock import Clock


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_pause_is_written_and_shown_with_its_reason(fizzbridge, stack):
    told = fizzbridge("pause", "erp", "--why", "stocktaking")
    assert told.code == 0, told.err
    assert "next sweep" in words(told.out)
    state = read(stack.table, "erp")
    assert not state.is_on
    assert (state.pause.why, state.pause.by) == ("stocktaking", stack.caller())
    shown = fizzbridge("status").out
    assert "paused" in shown
    assert "stocktaking" in shown
    health = fizzbridge("status", "--json").data["connections"]["erp"]["health"]
    assert (health["status"], health["paused_by"]) == ("paused", stack.caller())


def test_a_second_pause_says_whose_the_first_is(fizzbridge):
    fizzbridge("pause", "erp", "--why", "stocktaking")
    told = fizzbridge("pause", "erp", "--why", "lunch")
    assert told.code == 1
    assert "stocktaking" in told.err


def test_a_pause_needs_a_reason_and_a_connection(fizzbridge, stack):
    assert fizzbridge("pause", "erp").code != 0
    assert fizzbridge("pause", "erp", "--why", " ").code == 1
    assert "no connection 'erp-2'" in fizzbridge("pause", "erp-2", "--why", "x").err
    assert read(stack.table, "erp").works


def test_resuming_ends_it(fizzbridge, stack):
    fizzbridge("pause", "erp", "--why", "stocktaking")
    told = fizzbridge("resume", "erp", "--json")
    assert told.data == {"connection": "erp", "was_paused": True, "breaker": "closed"}
    assert read(stack.table, "erp").works
    assert fizzbridge("resume", "erp").code == 1


def test_resuming_a_vendor_in_trouble_says_what_it_said_and_tries_again(fizzbridge, stack):
    breaker = Breaker(stack.table, "erp", Clock())
    breaker.heard(ConfigurationError("key expired"))
    told = fizzbridge("resume", "erp")
    assert "key expired" in told.out
    assert breaker.probe().name == "open", "the clock of this test is behind"
    assert read(stack.table, "erp").probe_at is not None
