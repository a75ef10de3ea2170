"""Conditions on claims and devices, and what each kind of condition says of itself."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from benefits.conditions.kinds import KINDS, read_leaf, say_leaf
from benefits.conditions.snapshot import take_snapshot, take_snapshots
from benefits.conditions.tree import judge, read_tree
from benefits.models import Claim
from tests.benefits.factories import claim, make_benefit, make_release
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
    {"is": "tier", "least": "gold"},
    {"is": "tier", "most": "gold"},
    {"is": "tier", "least": "silver", "most": "gold"},
    {"is": "claimed", "benefit": "first", "least": 1},
    {"is": "claimed", "benefit": "first", "most": 0, "days": 30},
    {"is": "claims", "least": 1, "most": 3, "days": 7},
    {"is": "devices", "most": 3, "days": 30},
]


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
    sources = {"purchases", "subscriptions", "segments", "claims", "devices"}
    members = [alice, bob, carol, *(make_member() for _ in range(5))]
    for member in members:
        assert member.wallet.currency
    now = database_now()
    with django_assert_num_queries(6):
        together = take_snapshots(members, sources=sources, now=now)
    assert together == {each.pk: take_snapshot(each, sources=sources, now=now) for each in members}
