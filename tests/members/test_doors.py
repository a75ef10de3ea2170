"""Every address of the members' site: closed without a member, or open on purpose."""

import re

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

from tests.members import walk
from zone.members.access import OTHER_DOORS, is_other_door

pytestmark = pytest.mark.django_db

# Whoever opens a page to everybody adds it here, and thinks twice.
OPEN = {
    "/welcome",
    "/welcome/leave",
    "/welcome/return",
    "/sign-out",
    "/",
    "/benefits",
    "/benefits/x",
    "/bundles/x",
    "/settings",
    "/settings/language",
    "/settings/theme",
    "/terms",
    "/privacy",
    "/manifest.webmanifest",
    "/sw.js",
    "/offline",
    "/favicon.ico",
    "/g/x",
    "/draws/x",
    "/draws/x/proof.json",
    "/draws/verify_drop.py",
    "/credits/seals",
    "/credits/verify_statement.py",
    "/credits/seals.json",
    "/problems",
    "/problems/x",
}
_SAMPLES = {
    "int": "1", "str": "x", "slug": "x", "path": "x",
    "uuid": "01890a5d-ac96-774b-bcce-b302099a8057",
}  # fmt: skip


def walk_addresses(patterns=None, prefix: str = "/"):
    """Every pattern of the site as a sample address, with its view."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        part = re.sub(
            r"<(?:(\w+):)?\w+>",
            lambda found: _SAMPLES.get(found[1] or "str", "x"),
            str(entry.pattern),
        )
        if isinstance(entry.pattern, RegexPattern):
            continue  # What is left below /api, which is another door.
        address = prefix + part
        if isinstance(entry, URLResolver):
            yield from walk_addresses(entry.url_patterns, address)
        elif isinstance(entry, URLPattern):
            yield address, entry.callback


ADDRESSES = {address: view for address, view in walk_addresses() if not is_other_door(address)}
CLOSED = sorted(
    address for address, view in ADDRESSES.items() if not getattr(view, "is_open_to_all", False)
)


def test_the_walk_finds_the_site():
    assert {"/welcome", "/bind", "/me/wallet", "/me/devices/1/end"} <= set(ADDRESSES)
    assert "/bind" in CLOSED


def test_open_pages_are_the_ones_in_the_table():
    assert set(ADDRESSES) - set(CLOSED) <= OPEN


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("address", CLOSED)
def test_closed_without_a_member(client, address, method):
    response = getattr(client, method)(address)
    assert response.status_code == 302, address
    assert response["Location"].startswith("/welcome"), address
    assert "no-store" in response["Cache-Control"]


def test_reader_comes_back_to_the_page_they_wanted(client):
    response = client.get("/me/wallet?a=1&b=2")
    assert response["Location"] == "/welcome?next=%2Fme%2Fwallet%3Fa%3D1%26b%3D2"


def test_form_comes_back_to_the_page_it_was_on(client):
    response = client.post("/bind/leave", headers={"Referer": "http://testserver/bind?entry=home"})
    assert response["Location"] == "/welcome?next=%2Fbind%3Fentry%3Dhome"


@pytest.mark.parametrize("method", ["get", "post"])
def test_htmx_goes_to_the_whole_page(client, method):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/me/wallet#x"}
    response = getattr(client, method)("/bind/status", headers=headers)
    assert response.status_code == 200
    assert response["HX-Redirect"] == "/welcome?next=%2Fme%2Fwallet"
    assert response.content == b""


def test_other_doors_stand_beside(client):
    """They know their callers otherwise; a member's cookie opens none of them."""
    walk.sign_in(client)
    assert client.get("/console/").status_code in {302, 404}
    assert client.get("/api/v1/members/x").status_code in {401, 404}
    assert all(door.startswith("/") for door in OTHER_DOORS)


def test_member_pages_are_kept_by_no_cache(client):
    walk.sign_in(client)
    for address in ("/me/wallet", "/me/devices", "/bind", "/welcome/done"):
        response = client.get(address)
        assert response.status_code == 200, address
        assert "no-store" in response["Cache-Control"]


def test_every_form_refuses_a_missing_token(client):
    strict = type(client)(enforce_csrf_checks=True)
    for address in ADDRESSES:
        assert strict.post(address).status_code in {302, 403, 405}, address
