"""Operators and workers at one instant: stock, requests, live segments. Each with its control."""

import time
from contextlib import contextmanager
from unittest import mock

from django.db.models import QuerySet

from benefits.errors import StockChanged, StockInUse
from benefits.models import (
    Claim,
    PopulationRun,
    Release,
    RuleRequest,
    RuleVersion,
    Segment,
    SegmentMember,
)
from benefits.rule_errors import RequestClosed
from benefits.services import live_segments, rule_requests
from benefits.services import stock as stock_service
from benefits.services.population import drain_population
from benefits.services.segments import set_segment_rule
from benefits.services.stock import change_stock
from tests.benefits.factories import claim, make_benefit, make_release
from tests.benefits.test_rules import buy
from tests.races.test_claim_races import books, make_members, tally
from tests.threads import together
from zone.core.clock import database_now
from zone.history.models import Charge

WHO = {"actor": "operator:x"}


@contextmanager
def without_row_locks():
    """The control: rows are read and not held."""
    with mock.patch.object(QuerySet, "select_for_update", lambda rows, **options: rows):
        yield


def slow(module, name, seconds):
    """A moment after a step, long enough to meet in."""
    step = getattr(module, name)

    def stepped(*args, **options):
        done = step(*args, **options)
        time.sleep(seconds)
        return done

    return mock.patch.object(module, name, stepped)


def late(module, name, seconds):
    """A moment before a step."""
    step = getattr(module, name)

    def stepped(*args, **options):
        time.sleep(seconds)
        return step(*args, **options)

    return mock.patch.object(module, name, stepped)


def units(release):
    """What is left by the counters, and what the release says there is in all."""
    fresh = Release.objects.get(pk=release.pk)
    return sum(counter.left for counter in fresh.counters.all()), fresh.stock


def two_raises(release):
    def to(target):
        def act():
            time.sleep(0.05)
            held = Release.objects.get(pk=release.pk)
            return change_stock(release=held, expected=10, target=target, now=database_now(), **WHO)

        return act

    return together([to(15), to(20)])


def test_of_two_operators_at_one_instant_one_is_told_the_fresh_figure(cloned_database):
    release = make_release(make_benefit(), stock=10)
    answers = two_raises(release)
    assert tally(answers) == {"Release": 1, "StockChanged": 1}
    (stock,) = (each.stock for each in answers if isinstance(each, Release))
    (refused,) = (each for each in answers if isinstance(each, StockChanged))
    assert refused.facts["current"] == stock
    assert units(release) == (stock, stock)
    code, report = books(cloned_database)
    assert code == 0, report


def test_control_without_the_lock_both_raise(cloned_database):
    release = make_release(make_benefit(), stock=10)
    with without_row_locks(), late(stock_service, "append_ranges", 0.3):
        answers = two_raises(release)
    raised = [each for each in answers if isinstance(each, Release)]
    left, said = units(release)
    assert len(raised) == 2 or left != said, "the control must see an update lost"


def test_lowering_beside_claims_never_goes_below_what_is_taken(cloned_database):
    release = make_release(make_benefit(), stock=40)
    members = make_members(30)

    def lower():
        return change_stock(
            release=Release.objects.get(pk=release.pk), expected=40, target=20,
            now=database_now(), **WHO,
        )  # fmt: skip

    answers = together([lower, *(lambda m=m: claim(m, release) for m in members)])
    claimed = Claim.objects.filter(holds_slot=True).count()
    left, stock = units(release)
    assert claimed + left == stock
    assert isinstance(answers[0], Release | StockInUse), repr(answers[0])
    if isinstance(answers[0], StockInUse):
        assert (answers[0].facts["least"] > 20, stock) == (True, 40)
    code, report = books(cloned_database)
    assert code == 0, report


def asked_for(tree):
    benefit = make_benefit()
    make_members(3)
    request = rule_requests.ask_for_rule(
        benefit=benefit, tree=tree, actor="operator:maker", now=database_now()
    )
    drain_population()
    return request


def two_decisions(request):
    def approve():
        return rule_requests.approve_rule(request=request, actor="operator:a", now=database_now())

    def reject():
        return rule_requests.reject_rule(
            request=request, actor="operator:b", comment="no", now=database_now()
        )

    with slow(rule_requests, "_hold", 0.3):
        return together([approve, reject])


def test_two_decisions_at_one_instant_are_one(cloned_database):
    request = asked_for({"is": "adult"})
    answers = two_decisions(request)
    assert tally(answers) == {"RuleRequest": 1, "RequestClosed": 1}
    stored = RuleRequest.objects.get()
    assert RuleVersion.objects.count() == (stored.state == "approved")
    assert any(isinstance(each, RequestClosed) for each in answers)


def test_control_without_the_lock_both_decide(cloned_database):
    request = asked_for({"is": "adult"})
    with without_row_locks():
        answers = two_decisions(request)
    assert tally(answers)["RuleRequest"] == 2, "the control must see two decisions"


def stale_look_beside_a_fresh_one():
    """One worker has read that a purchase was refunded; meanwhile the member buys again."""
    (member,) = make_members(1)
    first = buy(member, at=database_now())
    segment = Segment.objects.create(code="buyers", name="Buyers", kind="live")
    rule = {"is": "purchases", "count": 1, "days": 30}
    set_segment_rule(segment=segment, tree=rule, now=database_now())
    live_segments.drain_segments()
    assert SegmentMember.objects.count() == 1
    Charge.objects.filter(pk=first.pk).update(refunded=first.amount)

    read = live_segments.take_snapshots
    calls = iter([0.8])  # The first to read is slow, whoever comes after is not.

    def reading(*args, **options):
        facts = read(*args, **options)
        time.sleep(next(calls, 0))
        return facts

    def fresh():
        time.sleep(0.3)
        buy(member, at=database_now())
        return live_segments.look_at_touched()

    with mock.patch.object(live_segments, "take_snapshots", reading):
        return together([live_segments.look_at_touched, fresh])


def test_a_stale_look_does_not_undo_a_fresh_one(cloned_database):
    stale_look_beside_a_fresh_one()
    live_segments.look_at_touched()
    assert SegmentMember.objects.count() == 1


def test_control_without_the_lock_the_stale_look_wins(cloned_database):
    with without_row_locks():
        stale_look_beside_a_fresh_one()
        live_segments.look_at_touched()
    assert SegmentMember.objects.count() == 0, "the control must see a member lost"


def test_two_workers_on_one_trial_count_nobody_twice(cloned_database):
    request = asked_for({"is": "adult"})
    run = PopulationRun.objects.get(pk=request.run_id)
    PopulationRun.objects.update(state="running", position=0, sums={}, report={})
    together([drain_population] * 4)
    again = PopulationRun.objects.get()
    while again.state == "running":
        drain_population()
        again.refresh_from_db()
    assert again.sums == run.sums
    assert again.report == run.report
