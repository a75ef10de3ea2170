"""Choices met by many claims of one member at one instant; with their controls."""

from benefits.models import Bundle, BundleItem, Claim
from benefits.services.bundles import change_choice
from tests.benefits.factories import claim, give_credits, make_benefit, make_release
from tests.races.test_claim_races import (
    WIDE_STOCK,
    books,
    make_members,
    replaced_function,
    tally,
)
from tests.threads import together
from zone.core.clock import database_now
from zone.core.ids import uuid7

# The moment between looking at the choice and taking from it, long enough to meet in.
LOOKED = "v_price := CASE v_release.mode"
GUARD = "PERFORM pg_advisory_xact_lock("


def widened(database):
    return replaced_function(
        database, "benefits_take_claim", LOOKED, f"PERFORM pg_sleep(1.5); {LOOKED}"
    )


def make_choice(kind="pick", *, number=8, picks=1):
    releases = [make_release(make_benefit(), stock=WIDE_STOCK) for _ in range(number)]
    bundle = Bundle.objects.create(slug="choice", kind=kind, picks=picks, words={})
    for release in releases:
        BundleItem.objects.create(bundle=bundle, benefit=release.benefit)
    return releases


def race(kind="pick", **fields):
    """One member asks for every benefit of a choice, twice each, at one instant."""
    releases = make_choice(kind, **fields)
    (alice,) = make_members(1)
    return alice, [lambda r=r: claim(alice, r) for r in releases * 2]


def test_one_of_eight_is_one_whatever_the_parallelism(cloned_database):
    alice, jobs = race()
    with widened(cloned_database):
        answers = together(jobs)
    told = tally(answers)
    assert told.pop("Claim") == 1
    assert set(told) <= {"AlreadyChosen", "LimitReached"}
    assert Claim.objects.filter(member=alice).count() == 1
    code, report = books(cloned_database)
    assert code == 0, report


def test_of_benefits_that_exclude_each_other_one_is_claimed(cloned_database):
    alice, jobs = race("apart", picks=1)
    with widened(cloned_database):
        answers = together(jobs)
    assert tally(answers)["Claim"] == 1
    assert Claim.objects.filter(member=alice).count() == 1
    code, report = books(cloned_database)
    assert code == 0, report


def test_three_of_eight_are_three(cloned_database):
    alice, jobs = race(picks=3)
    with widened(cloned_database):
        together(jobs)
    assert Claim.objects.filter(member=alice).count() == 3
    code, report = books(cloned_database)
    assert code == 0, report


def test_control_without_taking_turns_more_than_one_is_chosen(cloned_database):
    alice, jobs = race()
    with (
        replaced_function(cloned_database, "benefits_lock_bundles", GUARD, "PERFORM (SELECT "),
        widened(cloned_database),
    ):
        together(jobs)
    assert Claim.objects.filter(member=alice).count() > 1, "the control must see a second choice"
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL I45" in report


def test_changes_at_one_instant_leave_one_choice_and_every_credit(cloned_database):
    """Ten changes to ten others at once: one of them, or the first still; never two, never none."""
    benefits = [make_benefit(price_credits=10) for _ in range(11)]
    releases = [make_release(benefit, codes=2) for benefit in benefits]
    bundle = Bundle.objects.create(slug="choice", kind="pick", words={})
    for benefit in benefits:
        BundleItem.objects.create(bundle=bundle, benefit=benefit)
    (alice,) = make_members(1)
    give_credits(alice, 10)
    first = claim(alice, releases[0])

    def change(release):
        release = type(release).objects.select_related("benefit").get(pk=release.pk)
        return change_choice(claim=first, release=release, op_id=uuid7(), now=database_now())

    answers = together([lambda r=r: change(r) for r in releases[1:]])
    told = tally(answers)
    assert told.pop("Claim") == 1
    assert set(told) == {"ChoiceIsFinal"}
    assert Claim.objects.filter(member=alice, holds_slot=True).count() == 1
    code, report = books(cloned_database)
    assert code == 0, report
