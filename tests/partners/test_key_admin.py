"""Keys in the console: made with a fresh code, shown once, revoked at once."""

import re

import pytest
from django.test import Client

from tests.factories import make_operator, sign_in_operator
from zone.partners.models import PartnerKey
from zone.partners.services.keys import find_key

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
