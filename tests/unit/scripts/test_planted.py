"""Planted mistakes must not rot: each fits the tree as it is, and names a test that exists."""

from __future__ import annotations

import pytest

from scripts.planted import FOLDER, ROOT, apply, planted


def test_there_are_enough_of_them_and_no_two_alike():
    found = planted()
    assert len(found) >= 12
    assert len({one.bug for one in found}) == len(found)
    assert {one.patch for one in found} == set(FOLDER.iterdir())


@pytest.mark.parametrize("one", planted(), ids=lambda one: one.patch.stem)
def test_it_fits_the_tree_and_names_a_test(one):
    apply(one.patch, ROOT, "--check")
    file, _, test = one.test.partition("::")
    assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")
