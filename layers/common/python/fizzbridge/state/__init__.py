"""State: the table port, its implementations, bodies, objects, cursors."""

from fizzbridge.state.table import (
    INDEXES,
    Absent,
    AllOf,
    AnyOf,
    Condition,
    ConditionFailedError,
    Equals,
    Less,
    NoRow,
    Present,
    Row,
    Table,
    TableRefusedError,
    TableUnavailableError,
    Value,
    Write,
)

__all__ = [
    "INDEXES",
    "Absent",
    "AllOf",
    "AnyOf",
    "Condition",
    "ConditionFailedError",
    "Equals",
    "Less",
    "NoRow",
    "Present",
    "Row",
    "Table",
    "TableRefusedError",
    "TableUnavailableError",
    "Value",
    "Write",
]
