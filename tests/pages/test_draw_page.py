"""What is given out by lot never looks as if one could simply have it."""

from datetime import timedelta

import pytest

from benefits.models import FairDraw, Release
from benefits.services import draws
from tests.benefits.factories import make_benefit, make_release, soon
from tests.factories import sign_in
from zone.core.clock import database_now

pytestmark = pytest.mark.django_db


@pytest.fixture
def draw(alice):
    release = make_release(make_benefit(slug="tickets"), codes=2, opens_at=soon(days=3))
    now = database_now()
    return draws.announce_draw(
        release=release,
        entries_open_at=now,
        entries_close_at=now + timedelta(days=2),
        beacon_name="Lottery 135",
        actor="operator:test",
        now=now,
    )


def close(draw):
    past = database_now() - timedelta(seconds=1)
    FairDraw.objects.filter(pk=draw.pk).update(
        entries_open_at=past - timedelta(hours=1), entries_close_at=past
    )
    Release.objects.filter(pk=draw.release_id).update(opens_at=past)


def look(phone, address="/benefits/tickets"):
    return phone.get(address).content.decode()


def test_an_open_draw_is_entered_from_the_benefit(alices_phone, draw):
    page = look(alices_phone)
    assert f'<a class="btn" href="/draws/{draw.public_id}">Enter</a>' in page
    assert "Entries close" in page
    assert "Opens" not in page
    assert 'action="/benefits/tickets/claim"' not in page


@pytest.mark.parametrize("is_listed", [False, True])
def test_between_close_and_result_nothing_can_be_got(alices_phone, draw, is_listed):
    """The release's hour has come and its units are there, but they wait for the winners."""
    close(draw)
    for _ in range(1 + is_listed):
        page = look(alices_phone)
        assert "The result comes when “Lottery 135” is known." in page
        assert "Get" not in page
        assert 'action="/benefits/tickets/claim"' not in page
        assert f'<a class="btn" href="/draws/{draw.public_id}">See the draw</a>' in page
        assert "The result comes when" in look(alices_phone, f"/draws/{draw.public_id}")
        draws.drain_draws()  # The list of entries is published; the outside value is not there.
    assert "By draw" in look(alices_phone, "/benefits")


def test_without_an_outside_value_the_result_comes_within_minutes(alices_phone, draw):
    close(draw)
    FairDraw.objects.filter(pk=draw.pk).update(beacon_name="")
    assert "The result comes within a few minutes." in look(alices_phone)


def test_what_nobody_won_is_there_for_everyone(alices_phone, draw):
    close(draw)
    draws.drain_draws()
    draws.set_beacon(draw=draw, value="3 14 15", actor="operator:test")
    draws.drain_draws()
    page = look(alices_phone)
    assert 'action="/benefits/tickets/claim"' in page
    assert "Drawn. Everyone can check how." in page


def test_a_canceled_draw_leaves_no_trace_on_the_benefit(alices_phone, draw):
    close(draw)
    draws.cancel_draw(draw=draw, actor="operator:test", now=database_now())
    page = look(alices_phone)
    assert "fair draw" not in page
    assert 'action="/benefits/tickets/claim"' in page


def test_what_one_cannot_have_yet_says_its_next_step_on_the_card(client, carol, db):
    """Whoever is not linked is not promised a benefit by its button."""
    make_release(make_benefit(slug="for-linked"), codes=2)
    sign_in(client, carol)
    page = client.get("/benefits").content.decode()
    assert '<span class="pill ">Link</span>' in page
    assert ">Get</span>" not in page
