"""A rule tried on members: who gains and loses and why, the same twice, true of everybody."""

from datetime import timedelta

import pytest

from benefits.conditions.snapshot import take_snapshot
from benefits.conditions.tree import read_tree
from benefits.models import Budget, BudgetShare, Claim, PopulationRun
from benefits.population_math import Supply, estimate, outlook
from benefits.services import population
from benefits.services.population import advance_run, count_quickly, drain_population, start_run
from benefits.services.rules import set_rule
from tests.benefits.factories import claim, make_benefit, make_release
from tests.benefits.population import settle
from zone.core.clock import database_now
from zone.members.models import Member

pytestmark = pytest.mark.django_db
BOUND = {"is": "bound", "days": 30}
VIP = {"is": "segment", "of": "vip"}
ADULT = {"is": "adult"}


def finish(run):
    while PopulationRun.objects.get(pk=run.pk).state == "running":
        assert drain_population()
    run.refresh_from_db()
    return run


def trial(benefit, tree, **options):
    return finish(
        start_run(tree=tree, benefit=benefit, actor="operator:x", now=database_now(), **options)
    )


def put_in_force(benefit, tree):
    set_rule(benefit=benefit, tree=tree, actor="operator:x", now=database_now())


def test_everybody_is_told_apart_as_one_by_one(db):
    members = settle(300, seed=1)
    benefit = make_benefit(requires_binding=False)
    put_in_force(benefit, BOUND)
    report = trial(benefit, {"any": [VIP, {"all": [BOUND, ADULT]}]}, sample_size=0).report
    before, after = read_tree(BOUND), read_tree({"any": [VIP, {"all": [BOUND, ADULT]}]})
    told = {"gain": 0, "lose": 0, "both": 0, "neither": 0}
    for member in members:
        snapshot = take_snapshot(member, sources={"segments"}, now=database_now())
        was, now_fits = before.holds(snapshot), after.holds(snapshot)
        word = {(0, 1): "gain", (1, 0): "lose", (1, 1): "both", (0, 0): "neither"}
        told[word[was, now_fits]] += 1
    assert min(told.values()) > 0, "all four kinds are in the crowd"
    assert report["is_exact"]
    assert {name: report[name]["counted"] for name in told} == told
    assert {name: report[name]["likely"] for name in told} == told
    assert report["population"] == report["examined"] == 300
    rows = {row["node"]["is"]: row for row in report["wanted"]}
    assert list(rows) == ["segment", "bound", "adult"]
    # Whoever loses it met the binding and is no adult outside the list.
    assert (rows["adult"]["decided"], rows["bound"]["decided"]) == (told["lose"], 0)
    assert report["live"][0]["decided"] == told["gain"]


def test_the_same_trial_gives_the_same_figures(db, monkeypatch):
    settle(400, seed=2)
    benefit = make_benefit()
    put_in_force(benefit, BOUND)
    first = trial(benefit, {"any": [BOUND, VIP]}, sample_size=100)
    monkeypatch.setattr(population, "BATCH_MEMBERS", 7)
    again = start_run(
        tree=first.tree, benefit=benefit, actor="operator:y", now=first.as_of, sample_size=100
    )
    again = finish(again)
    assert first.report["examined"] == 100
    assert (again.sums, again.report) == (first.sums, first.report)
    other = trial(benefit, first.tree, sample_size=100, seed="another")
    assert other.sums != first.sums, "another seed looks at other members"


def test_bounds_hold_the_truth(db):
    """Forty samples of sixty: the truth is inside its bounds nearly always, and outside sometimes."""
    settle(600, seed=3)
    benefit = make_benefit(requires_binding=False)
    truth = trial(benefit, BOUND, sample_size=0).report["eligible"]["likely"]
    inside = 0
    for seed in range(40):
        told = trial(benefit, BOUND, sample_size=60, seed=f"s{seed}").report["eligible"]
        assert told["least"] <= told["likely"] <= told["most"]
        inside += told["least"] <= truth <= told["most"]
    assert inside >= 35


def test_gaps_and_sleeping_members_are_not_counted(db):
    members = settle(50, seed=4)
    Member.objects.filter(pk=members[0].pk).update(status="suspended")
    report = trial(make_benefit(requires_binding=False), {}, sample_size=0).report
    assert (report["population"], report["eligible"]["likely"]) == (49, 49)


def test_a_second_worker_leaves_a_trial_alone_and_a_done_one_rests(db):
    settle(10, seed=5)
    run = trial(make_benefit(), VIP)
    assert advance_run(run) == 0
    assert drain_population() == 0


def test_cost_and_claims_to_expect(db):
    settle(40, seed=6)
    members = list(Member.objects.order_by("pk"))
    budget = Budget.objects.create(code="b", name="B", currency="CNY", amount=30_00)
    BudgetShare.objects.create(budget=budget, funder="apple", basis_points=10_000)
    benefit = make_benefit(requires_binding=False, unit_cost=3_00, budget=budget)
    release = make_release(benefit, codes=20)
    for member in members[:5]:
        claim(member, release)
    report = trial(benefit, {}, sample_size=0).report
    assert report["supply"]["units_left"] == 15
    assert report["supply"]["budget_left"] == 15_00
    assert report["outlook"]["claims"]["counted"] == 5
    assert report["outlook"]["cost_most"] == 15_00, "the budget ends it before stock or members do"
    assert report["outlook"]["claims"]["likely"] == 5


@pytest.mark.parametrize(
    ("label", "seen", "units", "claims", "most", "hours"),
    [
        ("nobody yet", 0, 100, None, 100, None),
        ("enough for all", 10, 1000, 200, 1000, None),
        ("gone before the month is over", 10, 100, 100, 100, 360),
        ("no stock at all", 10, None, 200, 2000, None),
    ],
)
def test_what_to_expect(label, seen, units, claims, most, hours):
    told = outlook(
        eligible=estimate(100, 100, 2000),
        claims_seen=seen,
        eligible_before=100,
        supply=Supply(units, 1, 1, "CNY", None),
        days=30,
    )
    if claims is None:
        assert told.claims is None
    else:
        assert told.claims.likely == claims
    assert told.cost_most == most
    assert told.sold_out_in_hours == hours


def test_a_finished_benefit_is_foretold_within_its_bounds(db):
    """Half of a run of claims is seen; the other half is what was said to expect."""
    settle(200, seed=8)
    benefit = make_benefit(requires_binding=False, per_member=2)
    release = make_release(benefit, codes=200)
    now = database_now()
    for place, member in enumerate(Member.objects.order_by("pk")[:80]):
        made = claim(member, release)
        at = now - timedelta(days=59 - (place * 3) % 59, hours=1)
        Claim.objects.filter(pk=made.pk).update(created_at=at)
    halfway = now - timedelta(days=30)
    run = start_run(tree={}, benefit=benefit, actor="operator:x", now=halfway, sample_size=0)
    told = finish(run).report["outlook"]["claims"]
    came = Claim.objects.filter(created_at__gt=halfway).count()
    assert told["counted"] + came == 80
    assert told["least"] <= came <= told["most"]


def test_counting_on_the_spot_is_within_one_in_a_hundred(db, monkeypatch):
    settle(400, seed=9)
    exact = count_quickly(tree=BOUND, benefit=None, now=database_now())
    assert exact.is_exact
    assert 0 < exact.estimate.likely < 400
    assert len(exact.some) == 8
    monkeypatch.setattr(population, "QUICK_MEMBERS", 320)
    sampled = count_quickly(tree=BOUND, benefit=None, now=database_now())
    assert not sampled.is_exact
    assert abs(sampled.estimate.likely - exact.estimate.likely) <= 400 * 0.05
    # What ten thousand of seven million say is within one in a hundred.
    wide = estimate(5_000, 10_000, 7_000_000)
    assert wide.most - wide.least <= 2 * 0.01 * 7_000_000
