"""How often a value a shop sets is written over, and when it is let be."""

from __future__ import annotations

from datetime import date, timedelta

from fizzbridge.model.assessment import Difference
from fizzbridge.runtime.correcting import correct, let_be

TODAY = date(2026, 11, 20)


class Told:
    """What one variant of a shop tells, word by word."""

    def __init__(self, key="shop/v1", noted=()):
        self.key = key
        self.noted = list(noted)
        self.day = TODAY

    def differs(self, owner_says="0.65 GBP", field="price"):
        found = [Difference(field=field, owner_says=owner_says, told="0.99 GBP")]
        self.noted, is_due = correct(self.noted, self.key, found, self.day, 3)
        return is_due

    def agrees(self):
        self.noted, is_due = correct(self.noted, self.key, [], self.day, 3)
        assert not is_due

    @property
    def let_be(self):
        return let_be(self.noted, self.key)


def test_what_comes_back_at_once_is_let_be():
    told = Told()
    assert told.differs()
    assert told.let_be == ()
    assert not told.differs()
    assert told.let_be == ("price",)


def test_what_comes_back_again_and_again_is_let_be_after_so_many_of_a_day():
    told = Told()
    for _ in range(3):
        assert told.differs()
        told.agrees()
    assert not told.differs()
    told.agrees()
    told.day += timedelta(1)
    assert not told.differs(), "until the owner says something else"
    assert told.let_be == ("price",)


def test_once_a_day_is_no_fight():
    told = Told()
    for _ in range(9):
        assert told.differs()
        told.agrees()
        told.day += timedelta(1)


def test_another_word_of_the_owners_is_another_matter():
    told = Told()
    told.differs()
    told.differs()
    assert told.differs("0.70 GBP")
    assert told.let_be == ()


def test_fields_and_entities_are_counted_apart():
    told = Told()
    told.differs()
    other = Told("shop/v2", told.noted)
    assert other.differs()
    assert not other.differs()
    told.noted = other.noted
    assert told.let_be == ()
    told.agrees()
    assert told.differs(field="is_active")
    assert told.differs()


def test_what_was_agreed_another_day_is_forgotten():
    told = Told()
    told.differs()
    told.agrees()
    assert len(told.noted) == 1
    told.day += timedelta(1)
    told.agrees()
    assert told.noted == []
