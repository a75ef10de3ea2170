import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError

from benefits.models import Claim
from tests.benefits.factories import claim, give_credits, make_benefit, make_release, soon
from tests.factories import sign_in
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.history.models import Subscription
from zone.pages.sparks import spark_bars
from zone.pages.views import home


def subscribe(member, *, price, days, plan="Music"):
    now = database_now()
    return Subscription.objects.create(
        id=uuid7(),
        member=member,
        wallet_id=member.wallet_id,
        reference=str(uuid7()),
        service="apple_music",
        plan=plan,
        status=Subscription.Status.ACTIVE,
        price=price,
        currency="CNY",
        period="P1M",
        period_ends_at=now + timedelta(days=days),
        occurred_at=now,
        event_reference="event",
        started_at=now,
        created_at=now,
    )


def test_signed_out_home_is_the_way_in(client, db):
    answer = client.get("/")

    assert answer.status_code == 200
    page = answer.content.decode()
    assert 'href="/welcome"' in page
    assert 'href="/benefits"' in page


def test_home_shows_real_balance_reach_and_charges(alices_phone, alice):
    give_credits(alice, 2480)
    make_release(make_benefit(price_credits=300), codes=1)
    dear = make_release(make_benefit(price_credits=4000), codes=1)
    subscribe(alice, price=2100, days=1)
    subscribe(alice, price=1500, days=3)
    subscribe(alice, price=9900, days=9)
    answer = alices_phone.get("/")
    page = answer.content.decode()

    assert ">2,480<" in page
    assert "1 benefit in reach" in page
    assert answer.context["reach"].goal.benefit.pk == dear.benefit_id
    assert answer.context["reach"].percent == 62
    assert "1,520 credits to go" in page
    assert "¥36.00" in page
    assert "¥99.00" not in page
    assert sum(bar.is_marked for bar in answer.context["bars"]) == 2


def test_something_that_ends_within_a_day_moves_above_the_drops(alices_phone, alice):
    mine = claim(alice, make_release(make_benefit(), codes=1))
    for hours, is_first in [(23, True), (25, False)]:
        Claim.objects.filter(pk=mine.pk).update(valid_until=soon(hours=hours))
        page = alices_phone.get("/").content.decode()
        assert (page.index('id="h-exp"') < page.index('id="h-drops"')) is is_first


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("get_balance", "Your balance could not be read just now."),
        ("upcoming_charges", "We could not read your charges"),
        ("list_expiring", "We could not read your benefits"),
        ("list_drops", "We could not read the benefits"),
    ],
)
def test_a_part_that_fails_says_so_and_the_others_stay(alices_phone, monkeypatch, part, sentence):
    def fail(*args, **kwargs):
        raise OperationalError("gone")

    monkeypatch.setattr(home, part, fail)
    answer = alices_phone.get("/")

    assert answer.status_code == 200
    page = answer.content.decode()
    assert sentence in page
    assert page.count("could not") == 1
    assert "Upcoming charges" in page


def test_a_new_member_is_shown_the_first_step(client, carol):
    sign_in(client, carol)
    page = client.get("/").content.decode()

    assert "Link your Apple account" in page
    assert "they arrive by themselves" in page
    assert "Nothing will be charged in the next 7 days." in page


def test_the_number_of_queries_does_not_grow_with_the_catalogue(
    alices_phone, alice, django_assert_max_num_queries
):
    for _ in range(3):
        make_release(make_benefit(), codes=2)
    with django_assert_max_num_queries(32) as few:
        alices_phone.get("/")
    for _ in range(6):
        make_release(make_benefit(), codes=2)
    with django_assert_max_num_queries(len(few)):
        alices_phone.get("/")


@pytest.mark.parametrize(
    ("label", "values", "heights"),
    [
        ("nothing", [0, 0], [8, 8]),
        ("one", [0, 5], [8, 36]),
        ("half", [10, 20], [22, 36]),
        ("empty", [], []),
    ],
)
def test_spark_bars(label, values, heights):
    bars = spark_bars(values)
    assert [bar.height for bar in bars] == heights
    assert all(bar.y + bar.height == 40 for bar in bars)


def test_dates_follow_the_members_zone(client, bob):
    bob.time_zone = "Asia/Shanghai"
    bob.save(update_fields=["time_zone"])
    sign_in(client, bob)
    mine = claim(bob, make_release(make_benefit(), codes=1))
    Claim.objects.filter(pk=mine.pk).update(valid_until=datetime(2030, 3, 1, 15, 59, tzinfo=UTC))

    page = client.get(f"/me/benefits/{mine.public_id}").content.decode()
    assert re.search(r"Fri, Mar 1, 2030,? (at )?11:59", page)
