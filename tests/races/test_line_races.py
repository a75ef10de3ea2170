"""The line of a sold-out release at the instant when units come back: only those called can take."""

import pytest

from benefits.models import Claim, ReturnedSlot, WaitlistEntry
from tests.benefits.factories import claim, make_benefit, make_release
from tests.benefits.test_waitlist import give_back, join
from tests.races.test_claim_races import books, make_members, replaced_function, tally
from tests.threads import together

pytestmark = pytest.mark.slow
OUTSIDERS = 16
OFFERED_TO_NOBODY = "          AND returned.offered_to_id IS NULL\n"


class Line:
    """Two units in two hands, three people in line, and many who never stood in it."""

    def __init__(self):
        self.release = make_release(make_benefit(), codes=2)
        first, second, third, fourth, fifth, *self.outsiders = make_members(5 + OUTSIDERS)
        self.held = [claim(first, self.release), claim(second, self.release)]
        self.called, self.last = [third, fourth], fifth
        for member in (third, fourth, fifth):
            join(member, self.release)

    def rush(self):
        """Both units come back while everybody reaches for them, those in line three times."""
        takers = [*self.outsiders, self.last, *self.called * 3]
        return together(
            [
                *(lambda held=held: give_back(held) for held in self.held),
                *(lambda member=member: claim(member, self.release) for member in takers),
            ]
        )

    def holders(self):
        return set(
            Claim.objects.filter(release=self.release, holds_slot=True).values_list(
                "member_id", flat=True
            )
        )


def test_two_freed_units_go_to_the_first_two_in_line_and_to_nobody_else(cloned_database):
    line = Line()
    answers = line.rush()
    assert set(tally(answers)) <= {"NoneType", "Claim", "SoldOut", "LimitReached"}, answers
    called = {member.pk for member in line.called}
    assert line.holders() <= called
    for member in line.called:
        if member.pk not in line.holders():  # Faster than the return: the offer waited for it.
            claim(member, line.release)
    assert line.holders() == called
    assert {made.slot for made in Claim.objects.filter(holds_slot=True)} == {1, 2}
    assert ReturnedSlot.objects.count() == 0
    states = WaitlistEntry.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == ["claimed", "claimed", "waiting"]
    code, report = books(cloned_database)
    assert code == 0, report


def test_control_where_an_offer_keeps_nobody_away_a_stranger_takes_it(cloned_database):
    line = Line()
    for held in line.held:
        give_back(held)
    with (
        replaced_function(
            cloned_database, "benefits_has_slot", "returned.offered_to_id IS NULL", "true"
        ),
        replaced_function(cloned_database, "benefits_next_slot", OFFERED_TO_NOBODY, ""),
    ):
        answers = together([lambda m=member: claim(m, line.release) for member in line.outsiders])
    strangers = {member.pk for member in line.outsiders}
    assert line.holders() & strangers, (
        "the control must see a stranger with what was offered",
        answers,
    )
