from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from fizzbridge.switches import MappingSwitches, Switch, SwitchUnavailableError

ARN = "arn:aws:lambda:eu-west-1:000000000000:function:fizzbridge-prod-erp-target"


class Client:
    """Lambda, as far as mappings go; two on a page."""

    def __init__(self, *states: str, error: Exception | None = None) -> None:
        self.states, self.error = states, error
        self.told: list[dict[str, object]] = []

    def list_event_source_mappings(self, Marker="0"):  # noqa: N803  AWS's own name
        if self.error:
            raise self.error
        start = int(Marker)
        shown = list(enumerate(self.states))[start : start + 2]
        found = [{"UUID": str(name), "State": one, "FunctionArn": ARN} for name, one in shown]
        more = {"NextMarker": str(start + 2)} if start + 2 < len(self.states) else {}
        return {"EventSourceMappings": found} | more

    def update_event_source_mapping(self, **told):
        if self.error:
            raise self.error
        self.told.append(told)


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "op")


def test_all_are_listed_and_one_on_its_way_is_neither_on_nor_off():
    client = Client("Enabled", "Disabled", "Enabling", "Disabling", "Updating")
    found = list(MappingSwitches(client).all())
    assert [one.is_on for one in found] == [True, False, None, None, None]
    assert [one.id for one in found] == ["0", "1", "2", "3", "4"]
    assert {one.function for one in found} == {"fizzbridge-prod-erp-target"}


@pytest.mark.parametrize("on", [True, False])
def test_a_mapping_is_told(on):
    client = Client("Enabled")
    MappingSwitches(client).turn(Switch("0", "f", not on), on=on)
    assert client.told == [{"UUID": "0", "Enabled": on}]


@pytest.mark.parametrize(
    "error", [refused("AccessDeniedException"), ReadTimeoutError(endpoint_url="x")]
)
def test_what_cannot_be_reached_says_so(error):
    switches = MappingSwitches(Client(error=error))
    with pytest.raises(SwitchUnavailableError):
        list(switches.all())
    with pytest.raises(SwitchUnavailableError):
        switches.turn(Switch("0", "f", is_on=True), on=False)
