"""Partners hear what becomes of a benefit they may grant, and of no other."""

import pytest
from django.test import Client

from benefits.services.lifecycle import move_benefit, settle_windows
from tests.api.caller import make_partner
from tests.benefits.factories import make_benefit, make_release, soon
from tests.factories import make_operator, sign_in_operator
from tests.races.test_console_form_races import fields_of
from zone.core.clock import database_now
from zone.partners.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner():
    return make_partner("shop")


def told(partner):
    rows = Event.objects.filter(partner=partner).order_by("pk")
    return [(row.type, row.data["status"]) for row in rows]


def move(benefit, *statuses):
    for to in statuses:
        move_benefit(benefit=benefit, to=to, actor="operator:x", now=database_now())


def test_a_pause_its_end_and_the_end_are_told(partner):
    benefit = make_benefit(partner_ids=[partner.pk])
    make_release(benefit, stock=5)
    make_benefit(slug="another")
    move(benefit, "paused", "live", "ended")
    assert told(partner) == [
        ("benefit.updated", "paused"),
        ("benefit.updated", "live"),
        ("benefit.ended", "ended"),
    ]
    assert Event.objects.exclude(partner=partner).count() == 0
    rows = Event.objects.order_by("pk")
    assert {row.object_id for row in rows} == {benefit.public_id}
    assert [row.sequence for row in rows] == [1, 2, 3]


def test_what_ends_by_its_window_is_told_once(partner):
    make_benefit(partner_ids=[partner.pk], visible_until=soon(hours=-1))
    assert (settle_windows(now=database_now()), settle_windows(now=database_now())) == (1, 0)
    assert told(partner) == [("benefit.ended", "ended")]


def test_of_what_the_api_does_not_show_nothing_is_told(partner):
    benefit = make_benefit(partner_ids=[partner.pk], status="draft")
    make_release(benefit, stock=1)
    move(benefit, "in_review", "draft")
    assert told(partner) == []


def test_an_edit_in_the_console_is_told_and_an_unchanged_form_is_not(partner):
    benefit = make_benefit(partner_ids=[partner.pk])
    client = Client()
    sign_in_operator(client, make_operator("editor"))
    address = f"/console/benefits/benefit/{benefit.pk}/change/"
    data = fields_of(client, address)
    assert client.post(address, data).status_code == 302
    before = told(partner)
    assert client.post(address, {**data, "sort_weight": 7}).status_code == 302
    benefit.refresh_from_db()
    assert benefit.sort_weight == 7
    assert told(partner) == [*before, ("benefit.updated", "live")]
