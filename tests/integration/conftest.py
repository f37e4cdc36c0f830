from __future__ import annotations

import pytest

from tests.kit.aws import aws_address, aws_environment, dynamodb, faulty_address

__all__ = ["aws_address", "aws_environment", "dynamodb", "faulty_address"]

pytest.register_assert_rewrite("tests.kit.table_suite")
