"""Levels of pools of codes: one call for each level, a forecast, and every code somewhere."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from standardwebhooks import Webhook

from benefits.models import Alarm, PoolSample, PoolWarning, Release
from benefits.queries.pools import DAY, forecast, read_identity, read_pools
from benefits.services import pools
from benefits.services.endings import revoke_claim
from benefits.services.imports import import_codes
from benefits.services.pool_watch import watch_pools
from benefits.services.returns import return_claim
from benefits.services.reveal import reveal_claim
from benefits.services.stock import change_stock
from tests.api.caller import make_partner
from tests.benefits.factories import claim, load_codes, make_benefit, make_release
from tests.factories import bind, make_member, make_operator, sign_in_operator
from tests.partners.hook_fixtures import authority, names, receiver
from zone.core.clock import database_now
from zone.partners.models import Event
from zone.partners.services import webhooks
from zone.partners.services.deliveries import deliver_webhooks
from zone.partners.services.planning import DRAIN_TASK
from zone.schedule import _PERIODS

__all__ = ["authority", "names", "receiver"]
NOW = datetime(2026, 11, 21, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _own_time(db):
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET zone.clock_offset")


def travel(**delta):
    with connection.cursor() as cursor:
        cursor.execute(f"SET zone.clock_offset = '{timedelta(**delta).total_seconds()} seconds'")


def draw(release, number):
    for _ in range(number):
        member = make_member()
        bind(member)
        claim(member, release)


def alarms():
    rows = Alarm.objects.filter(settled_at=None).order_by("id")
    return [(alarm.kind, alarm.facts.get("level"), alarm.count) for alarm in rows]


def pool_of(release):
    return read_pools(Release.objects.filter(pk=release.pk), now=database_now())[0]


def test_each_level_calls_once_and_a_refill_ends_it():
    release = make_release(make_benefit(), codes=20)
    draw(release, 9)
    assert (watch_pools(), alarms()) == (0, [])  # 55 %
    draw(release, 1)
    assert (watch_pools(), watch_pools()) == (1, 0)
    assert alarms() == [("pool_low", 50, 1)]
    draw(release, 8)  # From 50 to 10 %: two levels at once are one call.
    assert (watch_pools(), watch_pools()) == (2, 0)
    assert alarms() == [("pool_low", 10, 2)]
    load_codes(release, 80)
    assert watch_pools() == 0
    assert alarms() == []
    assert sorted(w.level for w in PoolWarning.objects.exclude(cleared_at=None)) == [10, 20, 50]


def test_a_pool_about_a_level_is_not_news_twice(alice):
    release = make_release(make_benefit(), codes=20)
    draw(release, 9)
    last = claim(alice, release)
    assert watch_pools() == 1
    return_claim(claim=last, now=database_now(), actor="member:test")
    assert (pool_of(release).percent, watch_pools()) == (55.0, 0)
    claim(alice, release)
    assert watch_pools() == 1, "five points above the level it is news again"
    settled = Alarm.objects.filter(settled_at=None).update(settled_at=database_now())
    assert (settled, watch_pools(), alarms()) == (1, 0, []), "whoever looked is not called again"


def test_partners_hear_of_it_when_the_word_becomes_few():
    partner = make_partner("shop")
    release = make_release(make_benefit(partner_ids=[partner.pk]), codes=30)
    draw(release, 25)
    watch_pools()
    assert Event.objects.count() == 0
    draw(release, 2)
    watch_pools()
    watch_pools()
    event = Event.objects.get()
    assert (event.type, event.partner_id, event.livemode) == ("benefit.stock_low", partner.pk, True)
    assert (event.data["id"], event.data["stock"]) == (release.benefit.public_id, "few")
    figures = {value for value in event.data.values() if isinstance(value, int)}
    assert not figures & {3, 27, 30}, "exact figures stay inside"


def test_a_partner_s_own_address_is_told_that_a_pool_runs_low(receiver):
    partner = make_partner("shop")
    _, secret = webhooks.create_endpoint(
        partner=partner, livemode=True, url=receiver.url("/in"), event_types=["benefit.stock_low"],
        description="", api_version="2026-11-01",
    )  # fmt: skip
    release = make_release(make_benefit(partner_ids=[partner.pk]), codes=30)
    draw(release, 28)  # Below 10 %.
    watch_pools()
    assert deliver_webhooks() == 1
    [letter] = receiver.letters
    told = Webhook(secret).verify(letter.body, letter.headers)
    assert (told["type"], told["data"]["object"]["id"]) == (
        "benefit.stock_low",
        release.benefit.public_id,
    )
    # Of the schedule: seen and sent within a minute even when every nudge is lost.
    periods = [_PERIODS[name] for name in ("benefits.tasks.watch_pools", DRAIN_TASK)]
    assert sum(periods) < 60


def test_the_pace_of_a_week_says_which_day_a_pool_is_dry():
    release = make_release(make_benefit(), codes=40)
    PoolSample.objects.create(release=release, at=database_now() - 4 * DAY, given=0)
    draw(release, 20)
    pool = pool_of(release)
    assert (pool.left, pool.given) == (20, 20)
    assert pool.per_day == pytest.approx(5, abs=0.01)
    assert pool.days_left == pytest.approx(4, abs=0.01)
    assert pool.dry_at - database_now() == pytest.approx(4 * DAY, abs=timedelta(minutes=10))


@pytest.mark.parametrize(
    ("label", "supply", "per_day", "days", "unsold"),
    [
        ("nobody draws", [(NOW + 10 * DAY, 5)], 0, None, [5]),
        ("no end", [(None, 100)], 10, 10, [0]),
        ("sold in time", [(NOW + 10 * DAY, 100)], 10, 10, [0]),
        ("half too many", [(NOW + 5 * DAY, 100)], 10, 5, [50]),
        ("the first one is in the way", [(NOW + 8 * DAY, 60), (NOW + 7 * DAY, 50)], 10, 8, [0, 30]),
        ("what has no end waits", [(None, 40), (NOW + 3 * DAY, 50)], 10, 7, [20, 0]),
    ],
)
def test_the_forecast_plays_the_order_of_sale(label, supply, per_day, days, unsold):
    days_left, groups = forecast(supply, per_day, now=NOW)
    assert days_left == (None if days is None else pytest.approx(days))
    assert [group.unsold for group in groups] == unsold


def test_codes_that_end_unsold_call_once_for_each_level_of_days():
    release = make_release(make_benefit(), codes=20)
    day = (database_now() + timedelta(days=36)).date()
    content = "code,redemption_url\n" + "".join(
        f"ENDING{n:06d},https://apps.apple.com/redeem?code=ENDING{n:06d}\n" for n in range(10)
    )
    import_codes(
        release=release, source=io.BytesIO(content.encode()), file_name="a.csv",
        actor="operator:x", now=database_now(), expires_on=day,
    )  # fmt: skip
    assert watch_pools() == 1  # Its sale ends in 30 days: the code's own end minus a week.
    assert alarms() == [("pool_ending", 30, 1)]
    travel(days=17)
    assert (watch_pools(), watch_pools()) == (1, 0)
    travel(days=24)
    assert (watch_pools(), alarms()) == (1, [("pool_ending", 7, 3)])
    travel(days=31)
    assert (watch_pools(), alarms()) == (0, []), "what has left the sale is no warning any more"
    assert pool_of(release).left == 20


def test_every_code_is_in_one_place_whatever_happens_to_its_claim(alice, bob):
    release = make_release(make_benefit(per_member=9), codes=12)
    made = [claim(alice, release) for _ in range(6)]
    reveal_claim(claim=made[0], now=database_now(), actor="member:a")
    revoke_claim(claim=made[1], reason="fraud", actor="operator:x", now=database_now())
    return_claim(claim=made[2], now=database_now(), actor="member:a")
    change_stock(release=release, expected=12, target=9, actor="operator:x", now=database_now())
    assert read_identity(release) == {
        "uploaded": 12, "loading": 0, "kept": 0, "free": 4, "held": 0, "granted": 3, "revealed": 1,
        "redeemed": 0, "expired": 0, "void": 4,
    }  # fmt: skip


def test_board_and_release_page_say_the_same(client):
    release = make_release(make_benefit(), codes=20)
    draw(release, 18)
    watch_pools()
    sign_in_operator(client, make_operator("viewer"))
    board = client.get("/console/")
    (line,) = board.context["board"].pools
    assert (line.left, line.percent, line.unsold) == (2, 10.0, 0)
    # Eighteen in the first hour: what is left is no day's, and not "0 days".
    assert "1 h left at 432 a day" in board.content.decode()
    figures = {figure.label: figure for figure in board.context["figures"]}
    assert (figures["To look at"].value, figures["To look at"].tone) == (1, "bad")
    page = client.get(f"/console/benefits/release/{release.pk}/change/").content.decode()
    assert "loaded 20 · free 2 · granted 18" in page
    assert "10 % left" in page


def test_a_pool_with_nothing_left_is_said_to_be_gone(client):
    release = make_release(make_benefit(), codes=2)
    draw(release, 2)
    sign_in_operator(client, make_operator("viewer"))
    board = client.get("/console/")
    assert [line.left for line in board.context["board"].pools] == [0]
    page = board.content.decode()
    assert "All gone" in page
    assert "left at" not in page


def test_a_file_under_way_is_no_stock_yet_but_counted():
    release = make_release(make_benefit(), codes=5)
    batch = release.code_batches.get()
    key = pools.open_batch_key(batch)
    pools.seal_code(
        release=release, slot=6, batch=batch, key=key, index=b"x" * 32,
        plain=pools.OpenCode("LOADING00001", ""),
    ).save()  # fmt: skip
    places = read_identity(release)
    assert (places["uploaded"], places["loading"], places["free"]) == (6, 1, 5)
