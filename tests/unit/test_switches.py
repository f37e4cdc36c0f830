from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from fizzbridge.switches import MappingSwitches, Switch, SwitchUnavailableError

FUNCTION = "fizzbridge-prod-erp-target"


class Client:
    """Lambda, as far as mappings go."""

    def __init__(self, *states: str, error: Exception | None = None) -> None:
        self.states, self.error = dict(enumerate(states)), error
        self.told: list[dict[str, object]] = []

    def list_event_source_mappings(self, **asked):
        if self.error:
            raise self.error
        assert asked == {"FunctionName": FUNCTION}
        found = [{"UUID": str(name), "State": state} for name, state in self.states.items()]
        return {"EventSourceMappings": found}

    def update_event_source_mapping(self, **told):
        if self.error:
            raise self.error
        self.told.append(told)


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "op")


def test_a_mapping_on_its_way_is_neither_on_nor_off():
    client = Client("Enabled", "Disabled", "Enabling", "Disabling", "Updating")
    found = MappingSwitches(client).of(FUNCTION)
    assert [one.is_on for one in found] == [True, False, None, None, None]
    assert [one.id for one in found] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("on", [True, False])
def test_a_mapping_is_told(on):
    client = Client("Enabled")
    MappingSwitches(client).turn(Switch("0", not on), on=on)
    assert client.told == [{"UUID": "0", "Enabled": on}]


def test_a_function_that_is_not_there_has_none():
    assert MappingSwitches(Client(error=refused("ResourceNotFoundException"))).of(FUNCTION) == []


@pytest.mark.parametrize(
    "error", [refused("AccessDeniedException"), ReadTimeoutError(endpoint_url="x")]
)
def test_what_cannot_be_reached_says_so(error):
    switches = MappingSwitches(Client(error=error))
    with pytest.raises(SwitchUnavailableError):
        switches.of(FUNCTION)
    with pytest.raises(SwitchUnavailableError):
        switches.turn(Switch("0", is_on=True), on=False)
