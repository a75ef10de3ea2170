"""The trial guardian under a travelling clock: reminder, charge and outcome, each once, in order."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from benefits.models import Trial
from benefits.services import grants, trials
from benefits.services.reveal import reveal_claim
from tests.benefits.factories import claim, make_benefit, make_release
from tests.factories import make_member, sign_in
from tests.history.messages import bill, event, line, user_id_of
from zone.core.clock import database_now
from zone.core.errors import NotFound
from zone.history.services.ingest import ingest_bill, ingest_subscription
from zone.notices.models import Notice

DETAIL = {
    "service": "apple_music", "plan": "INDIVIDUAL", "trial_period": "P1M",
    "renews_price": 4800, "renews_currency": "CNY",
}  # fmt: skip


def travel_to(moment):
    with connection.cursor() as cursor:
        cursor.execute("RESET zone.clock_offset")
        seconds = (moment - database_now()).total_seconds()
        cursor.execute(f"SET zone.clock_offset = '{seconds} seconds'")


@pytest.fixture(autouse=True)
def _own_time(db):
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET zone.clock_offset")


@pytest.fixture
def trial(alice):
    benefit = make_benefit(kind="apple_music_trial", detail=DETAIL)
    made = claim(alice, make_release(benefit, codes=1))
    assert not Trial.objects.exists()  # Nobody has taken it up yet.
    reveal_claim(claim=made, now=database_now(), actor="member:x")
    reveal_claim(claim=made, now=database_now(), actor="member:x")
    return Trial.objects.get()


def step(trial, moment):
    """What the worker does at `moment`: how many it moved, and the kinds of notices so far."""
    travel_to(moment)
    moved = trials.drain_trials()
    trial.refresh_from_db()
    kinds = Notice.objects.filter(member=trial.member).order_by("id").values_list("kind", flat=True)
    return moved, list(kinds)


def pay(member, at, amount="4800"):
    lines = [line("Apple Music", amount, service="APPLE_MUSIC", recurring=True)]
    ingest_bill(
        wallet_code=member.wallet_id,
        body=bill(user_id_of(member), value=amount, pay_time=at.isoformat(), lines=lines),
    )


def tell(member, **said):
    ingest_subscription(wallet_code=member.wallet_id, body=event(user_id_of(member), **said))


def test_reminder_charge_and_closing_card_in_order(client, alice, trial):
    first = trial.first_charge_at
    assert (trial.price, trial.currency, trial.lead_days) == (4800, "CNY", 3)
    assert step(trial, first - timedelta(days=3, minutes=1)) == (0, [])
    assert step(trial, first - timedelta(days=3)) == (1, ["trial_reminder"])
    assert step(trial, first - timedelta(days=1)) == (0, ["trial_reminder"])
    facts = Notice.objects.get().facts
    assert (facts["amount"], facts["first_charge_at"]) == (4800, first.isoformat())
    pay(alice, first + timedelta(minutes=5))
    assert step(trial, first + timedelta(hours=1)) == (1, ["trial_reminder", "trial_kept"])
    assert (trial.state, trial.charged, trial.next_attempt_at) == ("kept", 4800, None)
    assert step(trial, first + timedelta(days=9)) == (0, ["trial_reminder", "trial_kept"])
    sign_in(client, alice)
    page = client.get("/trials").content.decode()
    assert "You kept it. The first ¥48.00 was charged" in page


def test_left_in_time_says_what_was_saved(client, alice, trial):
    first = trial.first_charge_at
    tell(
        alice, at=database_now(), ends=first, price="4800", renews="0",
        offerDiscountType="FREE_TRIAL",
    )  # fmt: skip
    assert step(trial, first - timedelta(days=2)) == (1, [])  # Who has left needs no warning.
    assert trial.is_canceled
    sign_in(client, alice)
    assert "You have cancelled it" in client.get("/trials").content.decode()
    assert step(trial, first + timedelta(minutes=1)) == (1, ["trial_left"])
    assert "You left in time and saved ¥48.00." in client.get("/trials").content.decode()
    assert "You saved ¥48.00." in client.get("/inbox").content.decode()


def test_the_feed_corrects_date_and_price(alice, trial):
    ends = (trial.first_charge_at + timedelta(days=10)).replace(microsecond=0)
    tell(alice, at=database_now(), ends=ends, price="6800", offerDiscountType="FREE_TRIAL")
    step(trial, trial.first_charge_at - timedelta(days=3))
    assert (trial.first_charge_at, trial.price, trial.reminded_at) == (ends, 6800, None)
    assert trial.next_attempt_at == ends - timedelta(days=3)


def test_the_feed_alone_can_say_that_it_was_kept(alice, trial):
    first = trial.first_charge_at
    tell(alice, at=first - timedelta(hours=3), ends=first + timedelta(days=30), price="4800")
    assert step(trial, first + timedelta(hours=1))[1] == ["trial_kept"]
    assert (trial.state, trial.charged) == ("kept", 4800)


def test_a_payment_for_an_older_subscription_is_not_this_trials(alice, trial):
    pay(alice, database_now() + timedelta(days=2))
    assert step(trial, trial.first_charge_at - timedelta(days=3))[1] == ["trial_reminder"]
    assert trial.state == "running"


def test_without_a_word_it_is_looked_for_and_then_said_so(trial):
    first = trial.first_charge_at
    step(trial, first - timedelta(days=3))
    assert step(trial, first + timedelta(minutes=1))[0] == 1
    assert (trial.state, trial.next_attempt_at - database_now() > timedelta(hours=5)) == (
        "running",
        True,
    )
    assert step(trial, first + timedelta(days=7, hours=7))[1] == ["trial_reminder", "trial_unseen"]


@pytest.mark.parametrize("days", [1, 7])
def test_the_member_chooses_the_lead(client, alice, trial, days):
    sign_in(client, alice)
    assert client.post(f"/trials/{trial.pk}/lead", {"lead_days": days}).status_code == 302
    first = trial.first_charge_at
    assert step(trial, first - timedelta(days=days, minutes=1))[1] == []
    assert step(trial, first - timedelta(days=days))[1] == ["trial_reminder"]
    trials.set_lead(member=alice, trial_id=trial.pk, lead_days=3, now=database_now())
    trial.refresh_from_db()
    assert trial.lead_days == days  # It has been said already.


def test_a_lead_that_is_not_offered_changes_nothing(client, alice, trial):
    sign_in(client, alice)
    client.post(f"/trials/{trial.pk}/lead", {"lead_days": 5})
    trial.refresh_from_db()
    assert trial.lead_days == 3
    with pytest.raises(NotFound):
        trials.set_lead(member=make_member(), trial_id=trial.pk, lead_days=1, now=database_now())


def test_its_page_leads_to_apple(client, alice, trial):
    sign_in(client, alice)
    for page in ("/trials", f"/me/benefits/{trial.claim.public_id}"):
        text = client.get(page).content.decode()
        assert "https://apps.apple.com/account/subscriptions" in text
        assert "Apple first charges ¥48.00" in text
    assert "/trials" in client.get("/subscriptions").content.decode()


def test_without_a_code_it_begins_when_it_is_granted(alice):
    benefit = make_benefit(kind="icloud_trial", detail={**DETAIL, "service": "icloud_plus"})
    made = claim(alice, make_release(benefit, stock=1))
    grants.grant(made, grants.Issued(reference="ref-1", code="", redeem_url=""))
    assert Trial.objects.get().claim_id == made.pk


@pytest.mark.parametrize(
    ("start", "period", "end"),
    [
        ("2026-01-31T10:00", "P1M", "2026-02-28T10:00"),
        ("2026-11-30T10:00", "P3M", "2027-02-28T10:00"),
        ("2026-03-05T10:00", "P7D", "2026-03-12T10:00"),
        ("2028-02-29T10:00", "P1Y", "2029-02-28T10:00"),
    ],
)
def test_months_end_where_months_end(start, period, end):
    moment = datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert trials.end_of_period(moment, period, zone="UTC") == datetime.fromisoformat(end).replace(
        tzinfo=UTC
    )
