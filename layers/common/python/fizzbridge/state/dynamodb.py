"""The state table on DynamoDB, over the low-level client."""

from __future__ import annotations

import base64
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError

from fizzbridge.state.table import (
    INDEXES,
    Absent,
    AllOf,
    AnyOf,
    Condition,
    ConditionFailedError,
    Equals,
    Less,
    Present,
    Row,
    TableRefusedError,
    TableUnavailableError,
    Value,
    Write,
    after_within,
    check_single,
    check_transaction,
)

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

WRITE_MARK = "write_mark"
"""Marks a row with the conditional write that made it, so that a resend of the same write knows its
own work; it never leaves this module."""

_CONFLICT_ATTEMPTS = 4
_CONFLICT_PAUSE_S = 0.02


class DynamoTable:
    """A `Table` on DynamoDB; threads may share it, as they may its client.

    The client decides how long a call may take: see `fizzbridge.aws.aws_client`.
    """

    def __init__(
        self, client: DynamoDBClient, name: str, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._client: Any = client
        self._name = name
        self._pause = pause

    def get(self, pk: str, sk: str, *, consistent: bool = True) -> Row | None:
        """Reads one row."""
        request = {"TableName": self._name, "Key": _key(pk, sk), "ConsistentRead": consistent}
        answer = self._call("get_item", request)
        return from_image(answer["Item"]) if "Item" in answer else None

    def query(
        self, pk: str, prefix: str = "", *, limit: int | None = None, after: str | None = None
    ) -> list[Row]:
        """Reads the rows of a partition in order of `sk`, page by page."""
        possible, start = after_within(prefix, after)
        if not possible:
            return []
        names = _Names()
        where = names.compare("pk", "=", pk)
        if prefix:
            where += f" AND begins_with({names.attr('sk')}, {names.value(prefix)})"
        request: dict[str, Any] = {"KeyConditionExpression": where, "ConsistentRead": True}
        if start is not None:
            request["ExclusiveStartKey"] = _key(pk, start)
        return [from_image(item) for item in self._pages(request | names.arguments(), limit)]

    def write(self, write: Write) -> Row:
        """Applies one write and returns the row after it."""
        check_single(write)
        mark = None if write.when is None or write.delete else os.urandom(12)
        operation, request = _request(write, mark)
        request["TableName"] = self._name
        if operation == "update_item":
            request["ReturnValues"] = "ALL_NEW"
        try:
            answer = self._call(operation, request)
        except _ConditionsFailedError as error:
            item = error.items[0]
            row = from_image(item) if item else None
            if row is not None and mark is not None and item.get(WRITE_MARK) == {"B": mark}:
                return row
            raise ConditionFailedError([row], [0]) from None
        if operation == "update_item":
            return from_image(answer["Attributes"])
        return from_image(request["Item"]) if operation == "put_item" else {}

    def transact(self, writes: Sequence[Write]) -> None:
        """Applies the writes, all or none; the client's request token makes a resend harmless."""
        check_transaction(writes)
        items = [_transaction_item(write, self._name) for write in writes]
        try:
            self._call("transact_write_items", {"TransactItems": items})
        except _ConditionsFailedError as error:
            rows = [from_image(item) if item else None for item in error.items]
            raise ConditionFailedError(rows, error.failed) from None

    def index(
        self, name: str, pk: str, *, up_to: str | None = None, limit: int = 100
    ) -> list[tuple[str, str]]:
        """Lists keys of rows in an index, ascending."""
        hash_attr, sort_attr = INDEXES[name]
        names = _Names()
        where = names.compare(hash_attr, "=", pk)
        if up_to is not None:
            where += f" AND {names.compare(sort_attr, '<=', up_to)}"
        request = {"IndexName": name, "KeyConditionExpression": where, **names.arguments()}
        return [(item["pk"]["S"], item["sk"]["S"]) for item in self._pages(request, limit)]

    def rows(self) -> Iterator[Row]:
        """Reads every row: a scan, page by page."""
        request: dict[str, Any] = {"TableName": self._name, "ConsistentRead": True}
        while True:
            answer = self._call("scan", request)
            yield from map(from_image, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _pages(self, request: dict[str, Any], limit: int | None) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        request = {"TableName": self._name, **request}
        while limit is None or len(items) < limit:
            if limit is not None:
                request["Limit"] = limit - len(items)
            answer = self._call("query", request)
            items += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                break
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return items

    def _call(self, operation: str, request: dict[str, Any]) -> Any:
        # A clash with another transaction is over in milliseconds, and nothing was written.
        for attempt in range(1, _CONFLICT_ATTEMPTS):
            try:
                return self._call_once(operation, request)
            except _ConflictError:
                self._pause(_CONFLICT_PAUSE_S * attempt * (0.5 + random.random()))  # noqa: S311  # jitter
        return self._call_once(operation, request)

    def _call_once(self, operation: str, request: dict[str, Any]) -> Any:
        try:
            return getattr(self._client, operation)(**request)
        except ClientError as error:
            raise _translated(error) from error
        except ParamValidationError as error:
            raise TableRefusedError(f"{operation}: malformed request") from error
        except (BotoCoreError, ResponseParserError) as error:
            raise TableUnavailableError(f"{operation}: {type(error).__name__}") from error


class _ConflictError(TableUnavailableError):
    """Another transaction holds a row: nothing was written."""


class _ConditionsFailedError(Exception):
    """Conditions failed; the stored items as DynamoDB returned them."""

    def __init__(self, items: list[dict[str, Any]], failed: list[int]) -> None:
        super().__init__("condition failed")
        self.items = items
        self.failed = failed


def _translated(error: ClientError) -> Exception:
    code = str(error.response["Error"]["Code"])
    response: Mapping[str, Any] = error.response
    if code == "ConditionalCheckFailedException":
        return _ConditionsFailedError([response.get("Item", {})], [0])
    if code == "TransactionCanceledException":
        return _cancelled(response.get("CancellationReasons", []))
    if code == "TransactionConflictException":
        return _ConflictError(code)
    # The service's own sentence may quote a value, so only its code is passed on.
    if code in {"ValidationException", "SerializationException"}:
        return TableRefusedError(code)
    # A missing table or grant is also "not available": whoever writes must keep the data elsewhere.
    return TableUnavailableError(code)


def _cancelled(reasons: Sequence[Mapping[str, Any]]) -> Exception:
    codes = [str(reason.get("Code", "None")) for reason in reasons]
    failed = [at for at, code in enumerate(codes) if code == "ConditionalCheckFailed"]
    if failed:
        return _ConditionsFailedError([dict(reason.get("Item", {})) for reason in reasons], failed)
    if "TransactionConflict" in codes:
        return _ConflictError("TransactionConflict")
    wrong = {"ValidationError", "ItemCollectionSizeLimitExceeded"} & set(codes)
    return TableRefusedError(*wrong) if wrong else TableUnavailableError(*set(codes))


def to_image(row: Mapping[str, Value]) -> dict[str, Any]:
    """Turns a row into DynamoDB attribute values."""
    return {attr: _to_attribute(value) for attr, value in row.items()}


def from_image(image: Mapping[str, Any]) -> Row:
    """Turns attribute values into a row: an item read, or an image in a stream event.

    Raises:
        TableRefusedError: The image holds a type no row of ours has.
    """
    return {
        attr: _from_attribute(attr, attribute)
        for attr, attribute in image.items()
        if attr != WRITE_MARK
    }


def _to_attribute(value: Value) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(int(value))}
    if isinstance(value, str):
        return {"S": str(value)}
    if isinstance(value, bytes):
        return {"B": value}
    return {"L": [{"S": str(item)} for item in value]}


def _from_attribute(attr: str, attribute: Mapping[str, Any]) -> Value:
    match attribute:
        case {"S": str(text)}:
            return text
        case {"N": str(digits)}:
            return int(digits)
        case {"BOOL": bool(truth)}:
            return truth
        case {"B": bytes(data)}:
            return data
        case {"B": str(encoded)}:
            # Stream events reach a function as JSON.
            return base64.b64decode(encoded)
        case {"L": list(items)}:
            return [str(item["S"]) for item in items]
    raise TableRefusedError(f"{attr} holds {sorted(attribute)}, which no row of ours does")


class _Names:
    """Placeholders for attribute names and values: any name may be a reserved word."""

    def __init__(self) -> None:
        self._attrs: dict[str, str] = {}
        self._values: dict[str, Any] = {}

    def attr(self, name: str) -> str:
        return self._attrs.setdefault(name, f"#a{len(self._attrs)}")

    def value(self, value: Value) -> str:
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = _to_attribute(value)
        return placeholder

    def compare(self, name: str, sign: str, value: Value) -> str:
        return f"{self.attr(name)} {sign} {self.value(value)}"

    def condition(self, condition: Condition) -> str:
        match condition:
            case Absent(attr):
                return f"attribute_not_exists({self.attr(attr)})"
            case Present(attr):
                return f"attribute_exists({self.attr(attr)})"
            case Equals(attr, value):
                return self.compare(attr, "=", value)
            case Less(attr, value):
                return self.compare(attr, "<", value)
            case AllOf(of):
                return self._joined(" AND ", of)
            case AnyOf(of):
                return self._joined(" OR ", of)
        raise TypeError(f"no expression for {type(condition).__name__}")

    def _joined(self, word: str, of: tuple[Condition, ...]) -> str:
        parts = [self.condition(part) for part in of]
        # DynamoDB refuses redundant parentheses.
        return parts[0] if len(parts) == 1 else f"({word.join(parts)})"

    def changes(self, write: Write, marked: Mapping[str, Value]) -> str:
        sets = [self.compare(attr, "=", value) for attr, value in {**write.set, **marked}.items()]
        for attr, value in write.set_if_absent.items():
            name = self.attr(attr)
            sets.append(f"{name} = if_not_exists({name}, {self.value(value)})")
        adds = [f"{self.attr(attr)} {self.value(amount)}" for attr, amount in write.add.items()]
        removes = [self.attr(attr) for attr in write.remove]
        clauses = (("SET", sets), ("ADD", adds), ("REMOVE", removes))
        return " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses if parts)

    def arguments(self) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if self._attrs:
            arguments["ExpressionAttributeNames"] = {
                placeholder: name for name, placeholder in self._attrs.items()
            }
        if self._values:
            arguments["ExpressionAttributeValues"] = self._values
        return arguments


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _request(write: Write, mark: bytes | None) -> tuple[str, dict[str, Any]]:
    names = _Names()
    request: dict[str, Any] = {}
    marked: dict[str, Value] = {} if mark is None else {WRITE_MARK: mark}
    if write.when is not None:
        request["ConditionExpression"] = names.condition(write.when)
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    if write.replace:
        request["Item"] = to_image({**write.set, **marked, "pk": write.pk, "sk": write.sk})
        return "put_item", request | names.arguments()
    request["Key"] = _key(write.pk, write.sk)
    if write.delete:
        return "delete_item", request | names.arguments()
    changes = names.changes(write, marked)
    if changes:
        request["UpdateExpression"] = changes
    return "update_item", request | names.arguments()


_IN_TRANSACTION = {"put_item": "Put", "delete_item": "Delete", "update_item": "Update"}


def _transaction_item(write: Write, table: str) -> dict[str, Any]:
    operation, request = _request(write, mark=None)
    verb = "ConditionCheck" if write.is_check else _IN_TRANSACTION[operation]
    return {verb: {"TableName": table, **request}}
