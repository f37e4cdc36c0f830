from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.state.bodies import BODY_ATTRIBUTES, pack, unpack
from fizzbridge.state.objects import MemoryObjects, ObjectMissingError


def noise(size: int) -> str:
    """Text that hardly compresses."""
    chars = string.ascii_letters + string.digits
    return "".join(random.Random(size).choices(chars, k=size))  # noqa: S311  # no secret


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers(1, 3000))
def test_a_body_comes_back_as_it_was(text, times):
    objects = MemoryObjects()
    assert unpack(dict(pack(text * times, objects)), objects) == text * times


@pytest.mark.parametrize(
    ("text", "attr"),
    [
        ("", "body"),
        ("x" * 4096, "body"),
        ("é" * 2048, "body"),
        ("x" * 4097, "body_z"),
        ("é" * 2049, "body_z"),
        (noise(60_000), "body_z"),
        (noise(200_000), "body_ref"),
        (noise(100_000) + "🧃" * 100_000, "body_ref"),
    ],
    ids=len,
)
def test_the_size_decides_where_a_body_goes(text, attr):
    objects = MemoryObjects()
    row = pack(text, objects)
    assert list(row) == [attr]
    assert attr in BODY_ATTRIBUTES
    assert len(objects.keys()) == (attr == "body_ref")
    assert unpack(dict(row), objects) == text


def test_one_content_is_one_object():
    objects = MemoryObjects()
    assert pack(noise(200_000), objects) == pack(noise(200_000), objects)
    assert pack(noise(200_001), objects) != pack(noise(200_000), objects)
    assert len(objects.keys()) == 2


def test_an_object_never_changes():
    objects = MemoryObjects()
    objects.put("key", b"first")
    objects.put("key", b"second")
    assert objects.get("key") == b"first"


def test_a_missing_body_is_told():
    with pytest.raises(LookupError):
        unpack({"pk": "Order#a"}, MemoryObjects())
    with pytest.raises(ObjectMissingError):
        unpack({"body_ref": "bodies/none"}, MemoryObjects())
