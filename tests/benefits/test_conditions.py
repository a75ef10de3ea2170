"""Conditions on claims and devices, and what each kind of condition says of itself."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from benefits.conditions.kinds import KINDS, read_leaf, say_leaf
from benefits.conditions.membership import part_of
from benefits.conditions.snapshot import take_snapshot, take_snapshots
from benefits.conditions.tree import judge, read_tree
from benefits.models import Claim, MemberTag
from benefits.queries import explain
from benefits.services.population import count_quickly
from benefits.services.rules import set_rule
from tests.benefits.factories import claim, make_benefit, make_release
from tests.benefits.population import settle
from tests.factories import make_member
from zone.core.clock import database_now
from zone.members.services.sessions import open_session

pytestmark = pytest.mark.django_db

# One of each kind with every value it can have.
EXAMPLES = [
    {"is": "wallet", "of": ["ALIPAY_CN", "ALIPAY_HK"]},
    {"is": "storefront", "of": ["CHN"]},
    {"is": "language", "of": ["zh-hans", "en", "fil"]},
    {"is": "adult"},
    {"is": "bound", "days": 0},
    {"is": "bound", "days": 30},
    {"is": "purchases", "count": 2, "days": 30},
    {"is": "spending", "amount": 5000, "currency": "CNY", "days": 30},
    *(
        {"is": "subscription", "service": "apple_music", "state": state}
        for state in ("open", "never", "ever", "lapsed")
    ),
    {"is": "segment", "of": "vip"},
    {"is": "tag", "of": "founder"},
    {"is": "experiment", "key": "spring", "first": 1, "last": 500},
    {"is": "tier", "least": "gold"},
    {"is": "tier", "most": "gold"},
    {"is": "tier", "least": "silver", "most": "gold"},
    {"is": "claimed", "benefit": "first", "least": 1},
    {"is": "claimed", "benefit": "first", "most": 0, "days": 30},
    {"is": "claims", "least": 1, "most": 3, "days": 7},
    {"is": "devices", "most": 3, "days": 30},
]

FIXED_PARTS = [454, 112, 226, 919]


def judged(member, node, *, now=None):
    tree = read_tree(node)
    snapshot = take_snapshot(member, sources=tree.sources, now=now or database_now())
    return judge(tree, snapshot)


def test_each_kind_is_read_and_said_in_both_languages():
    assert {node["is"] for node in EXAMPLES} == set(KINDS)
    said = {}
    for language in ("en", "zh-hans"):
        with translation.override(language):
            said[language] = [say_leaf(node, lambda source, code: code) for node in EXAMPLES]
    assert all(read_leaf(node) for node in EXAMPLES)
    assert all(here != there for here, there in zip(said["en"], said["zh-hans"], strict=True))
    assert "holds 1 to 3 claims of any benefit, made in the last 7 days" in said["en"]
    assert "spent ¥50.00 or more at Apple in the last 30 days" in said["en"]
    assert "pays with ALIPAY_CN or ALIPAY_HK" in said["en"]


@pytest.mark.parametrize(
    "node",
    [
        {"is": "tier"},
        {"is": "claims", "days": 7},
        {"is": "claims", "least": -1},
        {"is": "devices", "most": 0, "days": 7},
        {"is": "claimed", "benefit": "", "least": 1},
        {"is": ["adult"]},
        {"is": "tag", "of": ""},
        {"is": "experiment", "key": "spring", "first": 0, "last": 500},
        {"is": "experiment", "key": "spring", "first": 501, "last": 500},
        {"is": "experiment", "key": "spring", "first": 1, "last": 1001},
        {"is": "experiment", "first": 1, "last": 500},
    ],
)
def test_half_a_condition_is_none(node):
    with pytest.raises(ValidationError):
        read_tree(node)


def test_claims_of_the_last_days_age_out(alice):
    first, second = make_benefit(slug="first"), make_benefit(slug="second")
    made = claim(alice, make_release(first, codes=2))
    claim(alice, make_release(second, codes=2))
    now = database_now()
    Claim.objects.filter(pk=made.pk).update(created_at=now - timedelta(days=5))
    assert judged(alice, {"is": "claims", "least": 2}).is_met
    assert not judged(alice, {"is": "claims", "least": 2, "days": 3}).is_met
    assert not judged(alice, {"is": "claimed", "benefit": "first", "least": 1, "days": 3}).is_met
    few = judged(alice, {"is": "claims", "most": 0, "days": 7})
    assert [(step.kind, step.amount) for step in few.steps] == [("wait", 7)]
    assert judged(alice, {"is": "claims", "most": 0, "days": 7}, now=now + timedelta(days=8)).is_met
    assert judged(alice, {"is": "claims", "most": 0}).steps is None


def test_a_tag_is_somebodys_while_they_have_it(alice, bob):
    tag = MemberTag.objects.create(
        member=alice, tag="founder", added_by="operator:x", added_at=database_now()
    )
    node = {"is": "tag", "of": "founder"}
    assert judged(alice, node).is_met
    told = judged(bob, node)
    assert (told.sentence, told.steps) == ("This benefit is for invited members.", None)
    assert not judged(alice, {"is": "tag", "of": "found"}).is_met
    tag.delete()
    assert not judged(alice, node).is_met


def test_an_arm_is_the_same_members_for_good(alice):
    """By public ids that do not change; whoever evaluates an experiment elsewhere gets the same."""
    assert [part_of("spring", f"mbr_{n}") for n in range(4)] == FIXED_PARTS
    part = part_of("spring", alice.public_id)
    arms = [
        {"is": "experiment", "key": "spring", "first": first, "last": last}
        for first, last in ((1, part), (part, part), (part, 1000))
    ]
    assert all(judged(alice, arm).is_met for arm in arms)
    other = {"is": "experiment", "key": "spring", "first": part % 1000 + 1, "last": part % 1000 + 1}
    told = judged(alice, other)
    assert told.sentence == "This benefit is being tried out with other members first."
    assert told.steps is None


def test_arms_are_even_and_each_experiment_divides_anew():
    members = [f"mbr_{n}" for n in range(20_000)]
    spring = {member for member in members if part_of("spring", member) <= 300}
    autumn = {member for member in members if part_of("autumn", member) <= 300}
    # Four standard deviations of 20,000 draws: about 65 members for 0.3, 40 for 0.09.
    assert abs(len(spring) - 6_000) < 4 * 65
    assert abs(len(autumn) - 6_000) < 4 * 65
    assert abs(len(spring & autumn) - 1_800) < 4 * 41, "one says nothing about the other"
    assert {part_of("spring", member) for member in members} == set(range(1, 1001))


def test_a_trial_of_a_rule_counts_the_arm_that_the_rule_will_let_in(db):
    members = settle(300, seed=8)
    tree = {"all": [{"is": "experiment", "key": "spring", "first": 1, "last": 500}]}
    counted = count_quickly(tree=tree, benefit=None, now=database_now())
    arm = [each for each in members if part_of("spring", each.public_id) <= 500]
    assert (counted.is_exact, counted.estimate.counted) == (True, len(arm))
    assert 100 < len(arm) < 200
    assert set(counted.some) <= {each.public_id for each in arm}


def test_support_reads_what_decided(alice, bob):
    MemberTag.objects.create(
        member=alice, tag="founder", added_by="operator:x", added_at=database_now()
    )
    benefit = make_benefit()
    nodes = [
        {"is": "tag", "of": "founder"},
        {"is": "experiment", "key": "spring", "first": 1, "last": 1000},
    ]
    set_rule(benefit=benefit, tree={"all": nodes}, actor="operator:x", now=database_now())
    for member, has, holds in ((alice, "has it", True), (bob, "does not have it", False)):
        part = part_of("spring", member.public_id)
        seen = explain(benefit, member, now=database_now()).rule
        found = [(each.value, each.holds) for each in _leaves(seen)]
        assert (has, holds) in found
        assert (f"part {part} of 1000", True) in found


def _leaves(judged_part):
    if not judged_part.parts:
        return [judged_part]
    return [leaf for part in judged_part.parts for leaf in _leaves(part)]


def test_devices_are_counted_once_each(alice):
    now = database_now()
    for device in ("iPhone", "iPhone", "iPad"):
        open_session(member=alice, now=now, device=device)
    open_session(member=alice, now=now - timedelta(days=40), device="Mac")
    assert judged(alice, {"is": "devices", "most": 2, "days": 30}).is_met
    told = judged(alice, {"is": "devices", "most": 1, "days": 30})
    assert told.sentence == "This benefit is for members who use fewer devices."
    assert not judged(alice, {"is": "devices", "most": 2, "days": 60}).is_met


def test_many_members_cost_as_many_queries_as_one(alice, bob, carol, django_assert_num_queries):
    sources = {"purchases", "subscriptions", "segments", "claims", "devices", "tags"}
    members = [alice, bob, carol, *(make_member() for _ in range(5))]
    for member in members:
        assert member.wallet.currency
    now = database_now()
    with django_assert_num_queries(7):
        together = take_snapshots(members, sources=sources, now=now)
    assert together == {each.pk: take_snapshot(each, sources=sources, now=now) for each in members}
