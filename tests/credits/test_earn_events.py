"""Rules for linking, missions, streaks and friends: one table, one dry run, the same caps, once."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from credits.kinds import Counter
from credits.models import EarnDecision, EarnEvent, EarnPolicy, EarnRule, Mission, Streak
from credits.queries import get_balance, list_entries
from credits.queries.earning import preview_charges, preview_renewals
from credits.queries.events import happening_of, preview_events
from credits.services.check_ins import check_in
from credits.services.earning import drain_earning
from credits.services.events import Event, earn_for
from credits.services.missions import claim_mission
from credits.services.standing import settle_bindings
from tests.credits.conftest import travel
from tests.credits.test_earning import PAID_AT, USER_ID, pay
from tests.factories import bind, make_member
from tests.history.messages import event as renewal
from tests.threads import together
from zone.core.clock import database_now
from zone.history.models import Charge
from zone.history.services.ingest import ingest_subscription
from zone.members.services.bindings import record_binding_status


def rule(kind, credits, **facts):
    return EarnRule.objects.create(
        **{
            "kind": kind, "name": kind, "currency": "", "is_flat": True, "unit_amount": 100,
            "credits": credits, **facts,
        }
    )  # fmt: skip


@pytest.fixture
def member(db):
    return make_member(user_id=USER_ID)


def link(member):
    binding = bind(member, at=database_now())
    settle_bindings()
    return binding


def test_the_first_link_gives_once_and_a_second_nothing(member):
    rule("binding", 100)
    binding = link(member)
    assert get_balance(member).available == 100
    [line] = list_entries(member)
    assert (line.counter, line.reason) == (Counter.WELCOME, "binding")
    record_binding_status(binding=binding, status="unbound", occurred_at=database_now())
    settle_bindings()
    with travel(timedelta(days=1)):
        link(member)
    assert get_balance(member).available == 100
    event = EarnEvent.objects.get()
    assert (event.kind, event.credits, event.reason) == ("binding", 100, "earned")
    assert event.parts[0]["name"] == "binding"


def test_without_a_rule_there_is_no_trace(member):
    link(member)
    assert not EarnEvent.objects.exists()
    assert get_balance(member).available == 0


def test_every_seventh_day_of_a_streak_gives_on_top(member):
    rule("streak", 50, every=7)
    bind(member)
    given = []
    for day in range(8):
        with travel(timedelta(days=day)):
            given.append(check_in(member=member).credits)
    extra = EarnEvent.objects.get()
    assert (extra.kind, extra.credits) == ("streak", 50)
    assert get_balance(member).available == sum(given)
    assert Streak.objects.get().length == 8


def test_a_mission_gives_on_top_for_its_own_address_only(member):
    Mission.objects.all().delete()
    bind(member)
    for slug in ("one", "two"):
        Mission.objects.create(
            slug=slug, names={"en": slug}, metric="purchases", target=1, period="once",
            reward=20, starts_at=datetime(2026, 1, 1, tzinfo=UTC),
        )  # fmt: skip
    rule("mission", 5, service="two")
    pay(100, bill_no="E1")
    drain_earning()
    before = get_balance(member).available
    assert claim_mission(member=member, slug="one") == 20
    assert claim_mission(member=member, slug="two") == 25
    assert get_balance(member).available == before + 45


def test_caps_hold_over_purchases_and_events_together(member):
    EarnPolicy.objects.create(name="caps", day_cap=100)
    rule("binding", 90)
    at = database_now()
    pay(9000, bill_no="C1", at=at - timedelta(seconds=5))
    drain_earning()
    assert get_balance(member).available == 90
    link(member)
    event = EarnEvent.objects.get()
    assert (event.credits, event.reason, event.trimmed, event.cap) == (10, "trimmed", 80, "day")
    pay(100, bill_no="C2", at=at - timedelta(seconds=4))
    drain_earning()
    second = EarnDecision.objects.order_by("-charge_id").first()
    assert (second.credits, second.reason) == (0, "capped")
    assert get_balance(member).available == 100


def test_the_dry_run_gives_what_the_real_thing_gives_for_five_hundred_purchases(member):
    EarnPolicy.objects.create(name="caps", day_cap=300, month_cap=4000)
    rule("first", 25, currency="CNY")
    dice = Random(20261121)
    for number in range(500):
        at = PAID_AT - timedelta(minutes=dice.randrange(300 * 24 * 60))
        pay(dice.randrange(1, 60_000), bill_no=f"DRY{number}", at=at)
    charges = list(Charge.objects.order_by("id").select_related("member"))
    promised = {}
    previews = preview_charges(charges)
    for charge, worth in zip(charges, previews, strict=True):
        promised[charge.id] = worth.credits
    while not drain_earning().is_empty:
        pass
    real = dict(EarnDecision.objects.values_list("charge_id", "credits"))
    assert len(real) == 500
    assert real == promised
    assert get_balance(member).available == sum(real.values())


@pytest.mark.damages_books  # Thanks for a friend who never bought.
@pytest.mark.parametrize("kind", ["binding", "mission", "streak", "referral"])
def test_the_dry_run_of_events_is_the_real_thing(member, kind):
    EarnPolicy.objects.create(name="caps", day_cap=150, month_cap=700)
    rule(kind, 40, every=3 if kind == "streak" else 1)
    rule(kind, 55, starts_at=PAID_AT + timedelta(days=3), ends_at=PAID_AT + timedelta(days=9))
    dice = Random(7)
    events = [
        Event(
            member=member, kind=kind, source=f"n{number}", count=number + 1,
            at=PAID_AT + timedelta(hours=dice.randrange(24 * 20)),
        )
        for number in range(60)
    ]  # fmt: skip
    happenings = [happening_of(member, kind=kind, at=e.at, count=e.count) for e in events]
    promised = [worth.credits for worth in preview_events(member, happenings)]
    earn_for(events)
    real = dict(EarnEvent.objects.values_list("source", "credits"))
    assert [real.get(event.source, 0) for event in events] == promised
    assert get_balance(member).available == sum(promised) > 0


def test_the_next_renewal_promises_what_a_first_purchase_gives_too(member):
    rule("first", 25, currency="CNY")
    rule("renewal", 3, currency="CNY")
    with travel(PAID_AT - database_now()):
        ends = PAID_AT + timedelta(days=20)
        body = renewal(USER_ID, at=PAID_AT - timedelta(days=1), ends=ends.isoformat(), price="1100")
        assert ingest_subscription(wallet_code="ALIPAY_CN", body=body).outcome == "stored"
        [preview] = preview_renewals(member)
        assert preview.credits == 11 + 25 + 3
        pay(1100, bill_no="R1")
        drain_earning()
        [preview] = preview_renewals(member)
        assert preview.credits == 11 + 3


def test_what_earns_nothing_names_why(member):
    EarnRule.objects.all().delete()
    pay(500, bill_no="N1")
    drain_earning()
    assert EarnDecision.objects.get().reason == "no_rule"


@pytest.mark.parametrize(
    ("label", "facts", "field"),
    [
        ("credits are no currency", {"kind": "purchase", "currency": "CRD"}, "currency"),
        ("a purchase has a currency", {"kind": "purchase", "currency": ""}, "currency"),
        ("a share of nothing", {"kind": "binding", "is_flat": False}, "is_flat"),
        ("every third purchase", {"kind": "purchase", "currency": "CNY", "every": 3}, "every"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_at_its_form_and_by_the_database(db, label, facts, field):
    values = {
        "name": label, "currency": "", "is_flat": True, "unit_amount": 100, "credits": 1, **facts,
    }  # fmt: skip
    with pytest.raises(ValidationError) as refusal:
        EarnRule(**values).full_clean()
    assert field in refusal.value.message_dict
    if facts.get("currency") != "CRD":
        with pytest.raises(IntegrityError), transaction.atomic():
            EarnRule.objects.create(**values)


def test_one_event_told_by_four_workers_gives_once(cloned_database):
    rule("binding", 100)
    member = make_member(user_id=USER_ID)
    event = Event(member=member, kind="binding", source="first", at=database_now())

    def tell():
        with transaction.atomic():
            return earn_for([event])

    answers = together([tell] * 4)
    assert sorted(answers) == [0, 0, 0, 100]
    assert get_balance(member).available == 100


def test_the_race_is_real_without_the_lock(cloned_database, monkeypatch):
    """Control: who does not take the member's row first runs into the constraint."""
    rule("binding", 100)
    member = make_member(user_id=USER_ID)
    event = Event(member=member, kind="binding", source="first", at=database_now())
    monkeypatch.setattr("credits.services.events.is_decided", lambda event: False)

    def tell():
        with transaction.atomic():
            return earn_for([event])

    answers = together([tell] * 4)
    assert sum(isinstance(answer, IntegrityError) for answer in answers) == 3
    assert get_balance(member).available == 100


def test_a_day_counts_where_the_member_lives(member):
    happening = happening_of(member, kind="streak", at=datetime(2026, 11, 3, 17, tzinfo=UTC))
    assert happening.on == date(2026, 11, 4)
