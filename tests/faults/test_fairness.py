"""D, F44: one connection floods, and the others do not feel it."""

from __future__ import annotations

import pytest

from tests.kit.flood import Town, percentile
from tests.kit.invariants import accounted

SHOPS = 6
EVERY_S = 12.0
"""One order of a shop, and the next."""

FOR_S = 120.0
FLOOD = 100
"""So many orders for one of usual."""


def served(flood: int) -> Town:
    """A town after two minutes, in which the first shop sold so many times as much as usual."""
    town = Town(SHOPS)
    for shop in town.names:
        many = flood if shop == town.names[0] else 1
        every = EVERY_S / many
        shift = town.names.index(shop) * EVERY_S / SHOPS
        for number in range(int(FOR_S / every)):
            town.order(shift + number * every, shop, number)
    town.run()
    return town


@pytest.mark.slow
@pytest.mark.level("in-process")
def test_f44_while_one_shop_floods_the_others_orders_take_no_longer(figures):
    usual, flooded = served(1), served(FLOOD)
    others = usual.names[1:]
    before, during = (
        percentile([one for shop in others for one in town.took[shop]], 0.99)
        for town in (usual, flooded)
    )
    told = {shop: len(took) for shop, took in flooded.took.items()}
    assert told == {shop: 10 * (FLOOD if shop == usual.names[0] else 1) for shop in told}
    # The flood is one: its own orders wait.
    assert percentile(flooded.took[usual.names[0]], 0.99) > 10 * before
    assert during <= 2 * before
    for town in (usual, flooded):
        states = accounted(town.rows, town.objects)
        assert set(states) == {"synced"}
    figures(p99_usual_s=round(before, 2), p99_flooded_s=round(during, 2), flood=10 * FLOOD)
