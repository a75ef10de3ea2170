"""Keys in the console: made with a fresh code, shown once, revoked at once."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from tests.benefits.books import travel
from tests.factories import make_operator, sign_in_operator
from zone.core.clock import database_now
from zone.partners.models import PartnerKey
from zone.partners.services.keys import create_key, find_key, rotate_key

ADD = "/console/partners/partnerkey/add/"
FORM = {
    "name": "till 4",
    "livemode": "on",
    "scopes": ["claims:grant", "benefits:read"],
    "networks": "203.0.113.0/24",
    "ends_at_0": "",
    "ends_at_1": "",
}


@pytest.fixture
def manager(db):
    client = Client()
    sign_in_operator(client, make_operator("partner manager"))
    return client


def test_a_key_is_made_and_its_secret_shown_once(manager, partner):
    page = manager.post(ADD, {**FORM, "partner": partner.pk})
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    (secret,) = set(re.findall(r"zks_live_\w+", page.content.decode()))
    key = find_key(key_id=PartnerKey.objects.get().public_id, secret=secret)
    assert key is not None
    assert (sorted(key.scopes), key.networks) == (
        ["benefits:read", "claims:grant"],
        ["203.0.113.0/24"],
    )
    assert key.created_by.startswith("operator:")
    again = manager.get(f"/console/partners/partnerkey/{key.pk}/change/")
    assert again.status_code == 200
    assert secret not in again.content.decode()
    assert key.secret_hint in again.content.decode()


def test_a_wrong_network_makes_no_key(manager, partner):
    page = manager.post(ADD, {**FORM, "partner": partner.pk, "networks": "everywhere"})
    assert page.status_code == 200
    assert PartnerKey.objects.count() == 0


def test_a_stale_code_makes_no_key(manager, partner):
    session = manager.session
    session["operator_code_at"] = 0.0
    session.save()
    answer = manager.post(ADD, {**FORM, "partner": partner.pk})
    assert answer.status_code == 302
    assert PartnerKey.objects.count() == 0


def test_revoking_acts_at_once(manager, caller):
    assert caller.get("/claims").status_code == 200
    manager.post(
        "/console/partners/partnerkey/",
        {"action": "revoke", "_selected_action": [caller.key.pk]},
    )
    assert caller.get("/claims").json()["code"] == "token_invalid"
    assert PartnerKey.objects.get().revoked_by.startswith("operator:")


@pytest.mark.parametrize(
    "table", ["partner", "partnerkey", "partnersigningkey", "event", "partnerreference"]
)
def test_lists_open(manager, caller, table):
    assert manager.get(f"/console/partners/{table}/").status_code == 200


def test_other_roles_make_no_keys(db, partner):
    client = Client()
    sign_in_operator(client, make_operator("support"))
    assert client.post(ADD, {**FORM, "partner": partner.pk}).status_code == 403
    assert PartnerKey.objects.count() == 0


def test_a_key_is_replaced_and_both_work_until_the_old_one_ends(manager, partner):
    old, old_secret = create_key(partner=partner, livemode=True, scopes=["benefits:read"])
    page = manager.get(f"/console/partners/partnerkey/{old.pk}/change/").content.decode()
    address = f"/console/partners/partnerkey/{old.pk}/rotate"
    assert f'href="{address}"' in page
    assert manager.post(address, {"overlap_hours": 73}).status_code == 200
    assert PartnerKey.objects.count() == 1, "longer than an overlap may be"
    shown = manager.post(address, {"overlap_hours": 24})
    assert "no-store" in shown["Cache-Control"]
    (secret,) = set(re.findall(r"zks_live_\w+", shown.content.decode()))
    new = PartnerKey.objects.exclude(pk=old.pk).get()
    assert (new.scopes, new.livemode, new.ends_at) == (["benefits:read"], True, None)
    assert find_key(key_id=new.public_id, secret=secret) is not None
    assert find_key(key_id=old.public_id, secret=old_secret) is not None
    travel(hours=25)
    assert find_key(key_id=old.public_id, secret=old_secret) is None
    assert find_key(key_id=new.public_id, secret=secret) is not None
    again = manager.post(address, {"overlap_hours": 24}).content.decode()
    assert "This key has ended" in again
    assert PartnerKey.objects.count() == 2


def test_an_end_that_a_key_had_is_not_put_off_by_replacing_it(partner):
    soon = database_now() + timedelta(hours=1)
    old, _secret = create_key(partner=partner, livemode=True, scopes=[], ends_at=soon)
    rotate_key(key=old, overlap=timedelta(hours=24), actor="operator:x")
    old.refresh_from_db()
    assert old.ends_at == soon
