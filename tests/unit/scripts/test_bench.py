from __future__ import annotations

import json
import time

import pytest

from scripts.bench import SIZES, order_of, percentile
from scripts.timed import note


@pytest.mark.parametrize("size", [size for size, _ in SIZES.values()])
def test_an_order_to_measure_is_about_as_large_as_it_is_said_to_be(size):
    body = order_of(size)
    assert 0.8 * size <= len(body) <= size
    ids = [line["id"] for line in json.loads(body)["line_items"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("values", "share", "found"), [([3, 1, 2], 0.5, 2), ([1, 2], 0.99, 2), ([7], 0.5, 7)]
)
def test_percentiles(values, share, found):
    assert percentile(values, share) == found


def test_wall_times_of_commands_are_kept_side_by_side(tmp_path):
    timings = tmp_path / ".local" / "timings.json"
    note("make demo", time.time() - 75, timings)
    note("make test", time.time() - 300, timings)
    note("make test", time.time() - 200, timings)
    known = json.loads(timings.read_text())
    assert set(known) == {"make demo", "make test"}
    assert known["make demo"]["seconds"] == pytest.approx(75, abs=5)
    assert known["make test"]["seconds"] == pytest.approx(200, abs=5)
