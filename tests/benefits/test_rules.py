"""Who may claim: reading rules strictly, explaining them, and a way in that is true."""

import random
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError

from benefits import errors
from benefits.conditions.snapshot import take_snapshot
from benefits.conditions.tree import judge, read_tree
from benefits.models import RuleVersion, Segment
from benefits.queries import get_card, get_member_refusal, read_verdicts
from benefits.services.rules import set_rule
from tests.benefits.factories import claim, make_benefit, make_release
from tests.factories import bind, make_member, sign_in
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.history.models import Charge, Subscription
from zone.members.models import Binding

pytestmark = pytest.mark.django_db
CASES = 200


def rule(benefit, tree):
    return set_rule(benefit=benefit, tree=tree, actor="operator:test", now=database_now())


def buy(member, *, at, amount=100):
    return Charge.objects.create(
        id=uuid7(at), wallet_id=member.wallet_id, member=member, bill_no=uuid7().hex,
        amount=amount, currency=member.wallet.currency, paid_at=at, created_at=at,
    )  # fmt: skip


def subscribe(member, service, *, status="active", now):
    Subscription.objects.create(
        id=uuid7(), wallet_id=member.wallet_id, member=member, reference=uuid7().hex,
        service=service, status=status, price=1000, currency="CNY", period_ends_at=now,
        occurred_at=now, event_reference=uuid7().hex, started_at=now, created_at=now,
    )  # fmt: skip


@pytest.mark.parametrize(
    "tree",
    [
        [],
        {"all": []},
        {"all": [{"is": "adult"}], "any": [{"is": "adult"}]},
        {"is": "moon"},
        {"is": "adult", "days": 3},
        {"is": "bound", "days": -1},
        {"is": "bound", "days": True},
        {"is": "spending", "amount": 10, "currency": "USD", "days": 30},
        {"is": "subscription", "service": "apple_music", "state": "maybe"},
        {"is": "claimed", "benefit": "a"},
        {"all": [{"any": [{"all": [{"any": [{"all": [{"is": "adult"}]}]}]}]}]},
        {"all": [{"is": "adult"}] * 41},
    ],
)
def test_what_cannot_be_read_makes_no_version(tree):
    benefit = make_benefit()
    with pytest.raises(ValidationError):
        rule(benefit, tree)
    assert RuleVersion.objects.count() == 0


def test_a_version_is_never_changed_and_the_same_rule_makes_none():
    benefit = make_benefit()
    first = rule(benefit, {"is": "adult"})
    assert rule(benefit, {"is": "adult"}).pk == first.pk
    assert rule(benefit, {"is": "bound", "days": 3}).version == 2
    with pytest.raises(DatabaseError, match=r"permission denied|only takes new rows"):
        RuleVersion.objects.filter(pk=first.pk).update(version=9)


def test_page_claim_and_console_give_one_answer(alice, client):
    benefit = make_benefit()
    release = make_release(benefit, codes=2)
    rule(benefit, {"all": [{"is": "purchases", "count": 2, "days": 30}, {"is": "adult"}]})
    now = database_now()
    buy(alice, at=now - timedelta(days=2))
    sentence = "1 more purchase at Apple is needed within 30 days."
    card = get_card(slug=benefit.slug, member=alice, available=0, now=now, language="en")
    assert (card.state, card.sentence) == ("locked", sentence)
    assert [step.sentence for step in card.steps] == ["Make 1 more purchase of any size at Apple"]
    with pytest.raises(errors.RuleNotMet) as refused:
        claim(alice, release)
    assert str(refused.value) == sentence
    assert refused.value.facts == {"reason": "purchases"}
    assert str(get_member_refusal(member=alice, benefit=benefit, now=now)) == sentence
    assert alice.claims.count() == 0

    sign_in(client, alice)
    page = client.get(f"/benefits/{benefit.slug}").content.decode()
    assert sentence in page
    assert "Make 1 more purchase of any size at Apple" in page
    assert "Make 1 more purchase of any size at Apple" in client.get("/benefits").content.decode()

    buy(alice, at=database_now())
    assert claim(alice, release).state == "granted"


def test_many_rules_cost_one_query_a_source(alice, django_assert_num_queries):
    benefits = [make_benefit() for _ in range(8)]
    for number, benefit in enumerate(benefits):
        rule(
            benefit,
            {
                "any": [
                    {"is": "purchases", "count": number + 1, "days": 30},
                    {"is": "segment", "of": "vip"},
                    {"is": "subscription", "service": "apple_music", "state": "open"},
                    {"is": "claimed", "benefit": "first", "least": 1},
                ]
            },
        )
    assert alice.wallet.currency == "CNY"  # Loaded with the member, as on every request.
    now = database_now()
    # Rules, bundles, binding, purchases, subscriptions, segments, claims.
    with django_assert_num_queries(7):
        assert len(read_verdicts(member=alice, benefits=benefits, now=now)) == 8


def random_leaf(dice, related):
    return dice.choice(
        [
            {"is": "bound", "days": dice.choice([0, 3, 10, 40])},
            {"is": "purchases", "count": dice.randint(1, 4), "days": dice.choice([5, 30, 90])},
            {"is": "spending", "amount": dice.randint(50, 900), "currency": "CNY",
             "days": dice.choice([5, 30, 90])},
            {"is": "subscription", "service": dice.choice(["apple_music", "icloud_plus"]),
             "state": dice.choice(["open", "never", "ever", "lapsed"])},
            {"is": "segment", "of": "vip"},
            {"is": "claimed", "benefit": related, dice.choice(["least", "most"]): 1},
            {"is": "wallet", "of": dice.choice([["ALIPAY_CN"], ["ALIPAY_HK"]])},
            {"is": "adult"},
        ]
    )  # fmt: skip


def random_tree(dice, related, depth=0):
    if depth == 3 or dice.random() < 0.35:
        return random_leaf(dice, related)
    parts = [random_tree(dice, related, depth + 1) for _ in range(dice.randint(1, 3))]
    return {dice.choice(["all", "any"]): parts}


def test_the_shortest_way_in_lets_in(db):
    """Two hundred seeded members do what they were told, for real, and fit each time."""
    related_release = make_release(make_benefit(slug="related", per_member=3), stock=2000)
    vip = Segment.objects.create(code="vip", name="VIP")
    performed = seed = 0
    while performed < CASES:
        seed += 1
        assert seed < 20 * CASES, "too few rules with a way in"
        dice = random.Random(seed)
        tree = read_tree(random_tree(dice, "related"))
        member, now = make_member(), database_now()
        if dice.random() < 0.6:
            bind(member, at=now - timedelta(days=dice.randint(0, 20)))
        for _ in range(dice.randint(0, 3)):
            buy(member, at=now - timedelta(hours=dice.randint(0, 300)), amount=dice.randint(1, 400))
        if dice.random() < 0.3:
            subscribe(member, "apple_music", status=dice.choice(["active", "expired"]), now=now)
        if dice.random() < 0.2:
            vip.rows.create(member=member)
        verdict = judge(tree, take_snapshot(member, sources=tree.sources, now=now))
        if not verdict.steps:
            continue
        assert verdict.sentence
        for step in verdict.steps:
            match step.kind:
                case "bind":
                    bind(member, at=now)
                case "wait":
                    now += timedelta(days=step.amount)
                case "buy":
                    for _ in range(step.amount):
                        buy(member, at=now, amount=1)
                case "spend":
                    buy(member, at=now, amount=step.amount)
                case "subscribe":
                    subscribe(member, step.subject, now=now)
                case "claim":
                    if not Binding.objects.filter(member=member).exists():
                        related_release.benefit.requires_binding = False
                        related_release.benefit.save()
                    claim(member, related_release)
                case other:
                    pytest.fail(f"no way to do {other}")
        after = judge(tree, take_snapshot(member, sources=tree.sources, now=now))
        assert after.is_met, f"seed {seed}: {[step.sentence for step in verdict.steps]}"
        performed += 1


def test_a_wait_that_ages_a_purchase_is_followed_by_another(alice):
    """Ten more days bound, but the purchase must be of the last five: buy after the wait."""
    now = database_now()
    Binding.objects.filter(member=alice).update(bound_at=now - timedelta(days=20))
    buy(alice, at=now)
    tree = read_tree(
        {"all": [{"is": "bound", "days": 30}, {"is": "purchases", "count": 1, "days": 5}]}
    )
    verdict = judge(tree, take_snapshot(alice, sources=tree.sources, now=now))
    assert [(step.kind, step.amount) for step in verdict.steps] == [("wait", 10), ("buy", 1)]
