import re
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.factories import make_member
from tests.history.messages import bill, event, line, user_id_of
from zone.core import clock
from zone.core.money import Money
from zone.history.models import Subscription
from zone.history.queries import upcoming_charges
from zone.history.queries.renewals import list_subscriptions, renewal_month, yearly_totals
from zone.history.services.ingest import ingest_bill, ingest_subscription

CN = "ALIPAY_CN"
NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)  # noon in Shanghai


def subscribe(member, ref, *, ends, wallet=CN, at=None, **said):
    body = event(user_id_of(member), ref=ref, at=at or NOW - timedelta(days=3), ends=ends, **said)
    assert ingest_subscription(wallet_code=wallet, body=body).outcome == "stored"
    return Subscription.objects.get(reference=ref)


def in_days(days):
    return NOW + timedelta(days=days)


def test_the_coming_week_is_summed_by_the_members_own_days(alice, django_assert_num_queries):
    subscribe(alice, "A", ends=NOW + timedelta(hours=11), price="600")  # 23:00 today
    subscribe(alice, "B", ends=NOW + timedelta(hours=13), price="2100")  # 01:00 tomorrow
    subscribe(alice, "C", ends=in_days(6), price="500", offerDiscountType="FREE_TRIAL")
    subscribe(alice, "D", ends=in_days(7), price="9900")
    subscribe(alice, "E", ends=in_days(1), price="9900", renews="0")
    subscribe(alice, "F", ends=in_days(1), price="9900", status="2")
    subscribe(alice, "G", ends=NOW - timedelta(minutes=1), price="9900")

    with django_assert_num_queries(1):
        week = upcoming_charges(alice, now=NOW)

    assert (week.count, week.totals) == (3, [Money("CNY", 3200)])
    assert [(day.on.day, [total.value for total in day.totals]) for day in week.days] == [
        (20, [600]), (21, [2100]), (22, []), (23, []), (24, []), (25, []), (26, [500]),
    ]  # fmt: skip


def test_another_members_renewals_are_not_there(alice, bob):
    subscribe(bob, "A", ends=in_days(1))

    assert upcoming_charges(alice, now=NOW).count == 0
    assert upcoming_charges(alice, now=NOW).totals == []


def test_months_ahead_follow_each_period_across_years(alice):
    subscribe(
        alice,
        "M",
        ends=datetime(2026, 11, 30, 4, tzinfo=UTC),
        price="1100",
        at="2026-10-30T04:00:00Z",
    )
    subscribe(alice, "Y", ends=datetime(2027, 2, 10, 4, tzinfo=UTC), price="30000",
              at="2026-02-10T04:00:00Z")  # fmt: skip
    found = list_subscriptions(alice)

    def month(year, number):
        shown = renewal_month(alice, found, date(year, number, 1), now=NOW)
        days = [day.on.day for week in shown.weeks for day in week if day and day.renewals]
        return days, shown.to_come

    assert month(2026, 11) == ([30], [Money("CNY", 1100)])
    assert month(2026, 12) == ([30], [Money("CNY", 1100)])
    assert month(2027, 2) == ([10, 28], [Money("CNY", 31100)])  # February ends earlier
    assert month(2028, 2) == ([10, 29], [Money("CNY", 31100)])
    assert month(2026, 10) == ([], [])
    assert yearly_totals(found) == [Money("CNY", 12 * 1100 + 30000)]


def test_the_sum_under_the_calendar_is_the_sum_of_its_days(alice):
    for number in range(1, 8):
        subscribe(alice, f"S{number}", ends=in_days(number), price=str(number * 100))
    ingest_bill(wallet_code=CN, body=bill(user_id_of(alice), value="1500",
        pay_time="2026-11-03T10:00:00+08:00",
        lines=[line("2TB", "1000", recurring=True), line("Chess", "500", no=2)]))  # fmt: skip

    shown = renewal_month(alice, list_subscriptions(alice), date(2026, 11, 1), now=NOW)

    marked = [day for week in shown.weeks for day in week if day and day.is_marked]
    assert sum(each.price for day in marked for each in day.renewals) == 2800
    assert shown.to_come == [Money("CNY", 2800)]
    assert (shown.paid, shown.paid_count) == ([Money("CNY", 1000)], 1)


STATES = [
    ({"status": "1"}, 3, "Renews {day}"),
    ({"status": "1", "offerDiscountType": "FREE_TRIAL"}, 3, "Free trial until {day}, then ¥11.00"),
    ({"status": "1", "renews": "0"}, 3, "Canceled, yours until {day}"),
    ({"status": "1", "renews": "0", "offerDiscountType": "FREE_TRIAL"}, 3,
     "Free trial until {day}, then it ends"),
    ({"status": "4"}, 3, "Payment due: yours until {day}"),
    ({"status": "3"}, -1, "Apple could not charge your wallet"),
    ({"status": "1"}, -2, "Was due {day}, waiting for news from Apple"),
    ({"status": "2", "renews": "0", "expirationIntent": "1"}, -10, "Canceled, ended {day}"),
    ({"status": "2", "renews": "0", "expirationIntent": "2"}, -10,
     "Ended {day}: the payment failed"),
    ({"status": "2", "renews": "0"}, -10, "Ended {day}"),
    ({"status": "5"}, 3, "Withdrawn by Apple"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "days", "words"), STATES)
def test_every_state_has_its_words(alice, sign_in, said, days, words):
    now = clock.now()
    ends = now + timedelta(days=days)
    row = subscribe(alice, "S", at=now - timedelta(days=1), ends=ends, **said)
    shown = min(row.period_ends_at, row.occurred_at) if said["status"] == "2" else ends
    local = shown.astimezone(UTC) + timedelta(hours=8)
    day = f"{local:%b} {local.day}" + (f", {local.year}" if local.year != now.year else "")

    client = sign_in(alice)
    page, detail = client.get("/subscriptions"), client.get(f"/subscriptions/{row.public_id}")

    for answer in (page, detail):
        assert answer.status_code == 200
        assert f">{words.format(day=day)}<" in answer.content.decode()
    assert "https://apps.apple.com/account/subscriptions" in detail.content.decode()


def test_failed_payments_show_the_way_to_the_wallet(alice, sign_in):
    row = subscribe(alice, "S", ends=clock.now() + timedelta(days=2), status="4")

    text = sign_in(alice).get(f"/subscriptions/{row.public_id}").content.decode()

    assert 'href="/bind"' in text


def test_a_price_rise_is_said_with_both_prices(alice, sign_in):
    now = clock.now()
    ends = now + timedelta(days=20)
    subscribe(
        alice,
        "S",
        at=now - timedelta(days=40),
        ends=ends,
        price="5000",
        plan="Ink Pro",
        service="IN_APP",
    )
    subscribe(alice, "S", at=now - timedelta(days=2), ends=ends, price="5800", plan="Ink Pro",
              service="IN_APP")  # fmt: skip

    text = sign_in(alice).get("/subscriptions").content.decode()

    assert "Ink Pro costs more" in text
    assert "It went from ¥50.00 to ¥58.00 on" in text


def test_the_detail_lists_what_was_paid_for_it(alice, sign_in):
    row = subscribe(alice, "S", at="2026-09-02T00:00:00Z", ends=clock.now() + timedelta(days=2))
    for month in (9, 10, 11):
        ingest_bill(wallet_code=CN, body=bill(
            user_id_of(alice), value="1100", pay_time=f"2026-{month:02}-02T10:00:00+08:00",
            lines=[line("INDIVIDUAL", "1100", service="APPLE_MUSIC", recurring=True, ref="S")]))  # fmt: skip

    text = sign_in(alice).get(f"/subscriptions/{row.public_id}").content.decode()

    assert "¥33.00" in text
    assert len(re.findall(r'href="/activity/txn_', text)) == 3


def test_somebody_elses_subscription_is_not_found(alice, bob, sign_in):
    row = subscribe(alice, "S", ends=in_days(3))

    assert sign_in(bob).get(f"/subscriptions/{row.public_id}").status_code == 404
    assert sign_in(bob).get("/subscriptions/sub_x").status_code == 404
    assert "No subscriptions yet" in sign_in(bob).get("/subscriptions").content.decode()


def test_the_page_costs_a_fixed_number_of_queries(sign_in, db, django_assert_num_queries):
    member = make_member()
    client = sign_in(member)
    client.get("/subscriptions")
    for number in range(12):
        subscribe(member, f"S{number}", ends=clock.now() + timedelta(days=number + 1))
        with django_assert_num_queries(5):  # member, bell, subscriptions, paid, prices
            client.get("/subscriptions")
