"""Rules, bonuses and caps: one function says it, the drain does it, a page explains it."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from credits.models import EarnBonus, EarnDecision, EarnPolicy, EarnRule
from credits.queries import get_balance, list_entries
from credits.queries.earning import explain_charge, preview_charges
from credits.rules import Line, Purchase, RuleBook, Usage, worth_of_purchase
from credits.services.earning import drain_earning
from tests.credits.test_earning import PAID_AT, USER_ID, pay
from tests.factories import make_member, sign_in
from zone.history.models import Charge

DAY = date(2026, 11, 3)
BASE = EarnRule(pk=1, name="1 per yuan", currency="CNY", unit_amount=100, credits=1)


def bonus(pk=9, percent=200, **facts):
    return EarnBonus(
        pk=pk,
        name=f"{percent} %",
        percent=percent,
        starts_at=datetime(2026, 11, 1, tzinfo=UTC),
        ends_at=datetime(2026, 12, 1, tzinfo=UTC),
        **facts,
    )


def bought(amount, *lines, is_first=False, on=DAY):
    return Purchase(
        amount=amount, currency="CNY", paid_at=PAID_AT, paid_on=on, lines=lines, is_first=is_first
    )


def worth(purchase, *rules, bonuses=(), policy=None, usage=None):
    book = RuleBook(rules=(BASE, *rules), bonuses=tuple(bonuses), policy=policy)
    return worth_of_purchase(purchase, book, usage or Usage())


def gave(worth):
    return [(part.name, part.credits) for part in worth.parts]


def rule(**facts):
    return EarnRule(**{"pk": 2, "currency": "CNY", "unit_amount": 100, "credits": 2, **facts})


def test_a_rule_for_a_service_counts_for_what_was_bought_there():
    music = rule(name="music", service="apple_music")
    at = worth(bought(3050, Line("apple_music", 1050), Line("in_app", 2000)), music)
    assert gave(at) == [("music", 21), ("1 per yuan", 20)]


def test_a_service_rule_that_gives_less_does_not_count():
    less = rule(name="less", service="apple_music", unit_amount=1000, credits=1)
    assert gave(worth(bought(1000, Line("apple_music", 1000)), less)) == [("1 per yuan", 10)]


def test_a_first_purchase_and_a_renewal_come_on_top():
    first = rule(name="first", kind="first", is_flat=True, credits=50)
    renewal = rule(name="renewal", kind="renewal", is_flat=True, credits=5)
    at = worth(bought(2100, Line("icloud_plus", 2100, True), is_first=True), first, renewal)
    assert gave(at) == [("1 per yuan", 21), ("first", 50), ("renewal", 5)]
    assert gave(worth(bought(2100), first, renewal)) == [("1 per yuan", 21)]


@pytest.mark.parametrize(
    ("label", "policy", "extra"),
    [("best", "best", [("300 %", 20)]), ("stack", "stack", [("200 %", 10), ("300 %", 20)])],
)
def test_two_bonuses_follow_the_policy(label, policy, extra):
    at = worth(
        bought(1000), bonuses=[bonus(8, 200), bonus(9, 300)], policy=EarnPolicy(bonuses=policy)
    )
    assert gave(at) == [("1 per yuan", 10), *extra]


@pytest.mark.parametrize(
    ("label", "facts", "amount", "earned"),
    [
        ("applies", {}, 1000, 20),
        ("too small", {"minimum_amount": 1001, "currency": "CNY"}, 1000, 10),
        ("another currency", {"currency": "HKD"}, 1000, 10),
    ],
)
def test_when_a_bonus_applies(label, facts, amount, earned):
    assert worth(bought(amount), bonuses=[bonus(**facts)]).credits == earned


def test_a_bonus_is_given_as_often_as_it_says():
    used = Usage()
    daily = bonus(times_max=1, times_per="day")
    seen = []
    for day in (DAY, DAY, DAY + timedelta(days=1)):
        purchase = bought(1000, on=day)
        at = worth(purchase, bonuses=[daily], usage=used)
        used.add(purchase, at)
        seen.append(at.credits)
    assert seen == [20, 10, 20]


def test_a_cap_of_a_day_trims_and_a_cap_of_a_purchase_rejects():
    used, policy = Usage(), EarnPolicy(day_cap=100, charge_cap=95)
    seen = []
    for amount in (9000, 2000, 500, 9600):
        at = worth(bought(amount), policy=policy, usage=used)
        used.add(bought(amount), at)
        seen.append((at.credits, at.reason, at.trimmed, at.cap))
    assert seen == [
        (90, "earned", 0, ""),
        (10, "trimmed", 10, "day"),
        (0, "capped", 5, "day"),
        (0, "rejected", 96, "charge"),
    ]


def test_a_cap_of_a_month_begins_anew():
    used, policy = Usage({date(2026, 11, 1): 70}), EarnPolicy(month_cap=75)
    assert worth(bought(1000), policy=policy, usage=used).credits == 5
    assert worth(bought(1000, on=date(2026, 12, 1)), policy=policy, usage=used).credits == 10


@pytest.fixture
def payer(db):
    return make_member(user_id=USER_ID)


def set_everything():
    EarnPolicy.objects.create(name="caps", day_cap=400, month_cap=6000, charge_cap=900)
    EarnBonus.objects.create(
        name="double", percent=200, times_max=2, times_per="day",
        starts_at=datetime(2026, 11, 1, tzinfo=UTC), ends_at=datetime(2026, 11, 9, tzinfo=UTC),
    )  # fmt: skip
    EarnRule.objects.create(
        name="first", kind="first", currency="CNY", unit_amount=1, credits=88, is_flat=True
    )


def test_500_purchases_earn_what_the_dry_run_said(payer):
    set_everything()
    chance = random.Random(20261103)
    for number in range(500):
        at = PAID_AT + timedelta(minutes=chance.randrange(0, 14 * 24 * 60))
        pay(chance.choice([99, 600, 1800, 6800, 32800, 99900]), bill_no=f"D{number}", at=at)
    charges = list(Charge.objects.select_related("member").order_by("id"))
    dry = preview_charges(charges)

    while not drain_earning().is_empty:
        pass

    decided = {decision.charge_id: decision for decision in EarnDecision.objects.all()}
    assert [decided[charge.id].credits for charge in charges] == [each.credits for each in dry]
    assert [decided[charge.id].reason for charge in charges] == [each.reason for each in dry]
    assert len({each.reason for each in dry}) == 5
    assert get_balance(payer).available == sum(each.credits for each in dry)
    assert Charge.objects.exclude(credited_at=None).count() == 500


def test_a_charge_says_which_rule_gave_what(client, payer):
    set_everything()
    sign_in(client, payer)
    pay(6800, bill_no="W1")
    pay(30000, bill_no="W2", at=PAID_AT + timedelta(minutes=5))
    first, second = Charge.objects.order_by("id")
    waiting = client.get(f"/credits/why/{first.public_id}").content.decode()
    assert "Being counted" in waiting

    drain_earning()

    page = client.get(f"/credits/why/{first.public_id}").content.decode()
    for text in ("1 per CNY 1", "+68", "first", "+88", "double", "+156", ">312<"):
        assert text in page
    page = client.get(f"/credits/why/{second.public_id}").content.decode()
    assert "Daily limit" in page
    assert explain_charge(second).decision.credits == 88
    assert sum(line.amount for line in list_entries(payer)) == 400
    receipt = client.get(f"/activity/{first.public_id}").content.decode()
    assert f'href="/credits/why/{first.public_id}"' in receipt
    panel = client.get(
        f"/credits/why/{first.public_id}", headers={"HX-Request": "true"}
    ).content.decode()
    assert "<html" not in panel


def test_nothing_is_explained_too(client, payer):
    sign_in(client, payer)
    pay(99, bill_no="W3")
    drain_earning()
    page = client.get(f"/credits/why/{Charge.objects.get().public_id}").content.decode()
    assert "Too small an amount for one credit" in page


def test_another_members_charge_is_not_found(client, payer, alice):
    pay(6800, bill_no="W4")
    sign_in(client, alice)
    charge = Charge.objects.get()
    assert client.get(f"/credits/why/{charge.public_id}").status_code == 404
    assert client.get("/credits/why/txn_nothing").status_code == 404
