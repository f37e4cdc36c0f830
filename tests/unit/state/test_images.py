from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.state import TableRefusedError
from fizzbridge.state.dynamodb import from_image, to_image
from tests.kit.table_suite import ATTRS, VALUES


@given(st.dictionaries(ATTRS, VALUES))
def test_a_row_survives_its_image(row):
    back = from_image(to_image(row))
    assert back == row
    assert [type(value) for value in back.values()] == [type(value) for value in row.values()]


def test_a_stream_image_carries_bytes_as_text():
    image = {"body_z": {"B": base64.b64encode(b"\x00\xff").decode()}, "write_mark": {"B": "AAAA"}}
    assert from_image(image) == {"body_z": b"\x00\xff"}


def test_a_type_no_row_has_is_refused():
    with pytest.raises(TableRefusedError, match="targets"):
        from_image({"targets": {"M": {}}})
