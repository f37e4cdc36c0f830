"""The fault suite: every failure of the list a named test, at a named level.

A test here is called ``test_fNN_...`` after its number and says where it is proven with
``@pytest.mark.level("...")``. ``slow`` leaves it to ``make faults``; the others run in ``make
test`` as well. What a test counted it tells with ``figures``; ``make reliability`` makes
``docs/reliability.md`` of them.
"""

from __future__ import annotations

import re

import pytest

from tests.kit.aws import aws_address, aws_environment, dynamodb, faulty_address
from tests.kit.templates import templates

__all__ = ["aws_address", "aws_environment", "dynamodb", "faulty_address", "templates"]

LEVELS = {
    "template": "what CloudFormation is told",
    "in-process": "the whole runtime in one process, with memory ports",
    "sandbox": "an adapter against its vendor's sandbox",
    "emulator": "ports or functions on the local AWS emulator",
}
NAMED = re.compile(r"test_f\d{1,2}_")


def pytest_collection_modifyitems(items):
    for item in items:
        if "/tests/faults/" not in str(item.path):
            continue
        marks = [mark.args for mark in item.iter_markers("level")]
        if not NAMED.match(item.name) or len(marks) != 1 or marks[0][0] not in LEVELS:
            message = f"{item.nodeid}: test_fNN_..., and one level of {', '.join(LEVELS)}"
            raise pytest.UsageError(message)
        item.user_properties.append(("level", marks[0][0]))


@pytest.fixture
def figures(record_property):
    """Tell what a test counted: ``figures(deliveries=10_000, lost=0)``."""

    def tell(**counted: int | float | str) -> None:
        for name, value in counted.items():
            record_property(name, str(value))

    return tell
