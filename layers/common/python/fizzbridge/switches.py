"""Switches: whether a function is given the messages of its queues.

On AWS that is an event source mapping, which the templates make and never switch: a deployment
leaves it as the sweeper set it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

_IN_BETWEEN = frozenset({"Creating", "Enabling", "Disabling", "Updating", "Deleting"})


class SwitchUnavailableError(Exception):
    """It cannot be read or set now."""


@dataclass(frozen=True)
class Switch:
    """One queue's way to a function.

    Attributes:
        id: the mapping's.
        function: the function's name.
        is_on: None while it is on its way from one to the other, and takes no order.
    """

    id: str
    function: str
    is_on: bool | None


class Switches(Protocol):
    """The switches of functions, ours and others."""

    def all(self) -> Iterable[Switch]:
        """Every switch there is.

        Raises:
            SwitchUnavailableError: they cannot be listed.
        """
        ...

    def turn(self, switch: Switch, *, on: bool) -> None:
        """Turn one on or off.

        Raises:
            SwitchUnavailableError: not now.
        """
        ...


class MappingSwitches:
    """Event source mappings."""

    def __init__(self, client: LambdaClient) -> None:
        self._client: Any = client

    def all(self) -> Iterable[Switch]:
        """The account's mappings: a call lists a hundred, and the right to takes no resource."""
        found: list[Switch] = []
        asked: dict[str, str] = {}
        while True:
            page = _reached(self._client.list_event_source_mappings, **asked)
            for one in page["EventSourceMappings"]:
                function = one.get("FunctionArn", "").partition(":function:")[2].partition(":")[0]
                is_on = None if one["State"] in _IN_BETWEEN else one["State"] == "Enabled"
                found.append(Switch(one["UUID"], function, is_on))
            if not page.get("NextMarker"):
                return found
            asked = {"Marker": page["NextMarker"]}

    def turn(self, switch: Switch, *, on: bool) -> None:
        """Enable or disable a mapping."""
        _reached(self._client.update_event_source_mapping, UUID=switch.id, Enabled=on)


class MemorySwitches:
    """Switches in this process, for tests: each function has one, and is on until told."""

    def __init__(self, functions: Iterable[str]) -> None:
        self.are_on = dict.fromkeys(functions, True)

    def all(self) -> Iterable[Switch]:
        """One switch for each function."""
        return [Switch(name, name, is_on) for name, is_on in self.are_on.items()]

    def turn(self, switch: Switch, *, on: bool) -> None:
        """Turn it."""
        self.are_on[switch.id] = on


def _reached(call: Callable[..., Any], **asked: object) -> Any:
    try:
        return call(**asked)
    except ClientError as error:
        raise SwitchUnavailableError(error.response["Error"]["Code"]) from error
    except BotoCoreError as error:
        raise SwitchUnavailableError(type(error).__name__) from error
