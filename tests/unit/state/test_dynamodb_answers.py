"""What the emulator does not answer: clashes, refusals inside transactions, torn answers."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, ParamValidationError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from fizzbridge.state import (
    Condition,
    ConditionFailedError,
    NoRow,
    TableRefusedError,
    TableUnavailableError,
    Write,
)
from fizzbridge.state.dynamodb import DynamoTable
from fizzbridge.state.objects import ObjectsUnavailableError, S3Objects

WRITES = [Write("p", "A", set={"x": 1}, when=NoRow()), Write("p", "B", set={"x": 1})]


class Script:
    """A client that gives one answer after the other, to whatever it is asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = 0

    def __getattr__(self, operation):
        return self.answer

    def answer(self, **request):
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def table_on(*answers):
    script, pauses = Script(*answers), []
    return DynamoTable(script, "table", pauses.append), script, pauses


def cancelled(*codes, **more):
    reasons = [{"Code": code, **more} for code in codes]
    error = ClientError({"Error": {"Code": "TransactionCanceledException"}}, "TransactWriteItems")
    error.response["CancellationReasons"] = reasons
    return error


def test_a_clash_is_tried_again_with_short_pauses():
    clash = cancelled("TransactionConflict", "None")
    table, script, pauses = table_on(clash, clash, {})
    table.transact(WRITES)
    assert script.asked == 3
    assert len(pauses) == 2
    assert sum(pauses) < 0.1


def test_a_clash_without_end_is_unavailable():
    table, script, pauses = table_on(*[cancelled("None", "TransactionConflict")] * 9)
    with pytest.raises(TableUnavailableError, match="TransactionConflict"):
        table.transact(WRITES)
    assert script.asked == 4
    assert sum(pauses) < 0.2


def test_a_failed_condition_counts_more_than_a_clash():
    table, _, _ = table_on(cancelled("ConditionalCheckFailed", "TransactionConflict"))
    with pytest.raises(ConditionFailedError) as caught:
        table.transact(WRITES)
    assert caught.value.failed == [0]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (cancelled("ThrottlingError", "None"), TableUnavailableError),
        (cancelled("None", "ProvisionedThroughputExceeded"), TableUnavailableError),
        (cancelled("None", "ValidationError"), TableRefusedError),
        (cancelled("None", "ItemCollectionSizeLimitExceeded"), TableRefusedError),
        (ResponseParserError("torn"), TableUnavailableError),
        (ReadTimeoutError(endpoint_url="http://table"), TableUnavailableError),
        (ParamValidationError(report="canary"), TableRefusedError),
    ],
)
def test_each_answer_has_its_error(answer, expected):
    table, _, _ = table_on(answer)
    with pytest.raises(expected) as caught:
        table.transact(WRITES)
    assert type(caught.value) is expected
    assert "canary" not in str(caught.value)


def test_an_unknown_sort_of_condition_is_a_mistake():
    class Strange(Condition):
        def holds(self, row):
            return True

    table, _, _ = table_on()
    with pytest.raises(TypeError, match="Strange"):
        table.write(Write("p", "A", set={"x": 1}, when=Strange()))


def test_objects_that_do_not_answer_are_unavailable():
    timeout = ReadTimeoutError(endpoint_url="http://bucket")
    with pytest.raises(ObjectsUnavailableError, match="ReadTimeoutError"):
        S3Objects(Script(timeout), "bucket").get("bodies/a")
