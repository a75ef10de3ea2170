"""A NUL in an address or a form: nothing has such a name, and nothing breaks."""

import pytest
from django.test import Client
from django.utils.http import urlencode

from tests.benefits.factories import make_benefit, make_release
from tests.factories import bind, make_member, sign_in
from zone.core.ids import uuid7

pytestmark = pytest.mark.django_db


@pytest.fixture
def phone(db):
    member = make_member()
    bind(member)
    client = Client(raise_request_exception=False)
    sign_in(client, member)
    return client


@pytest.mark.parametrize(
    "address",
    [
        "/draws/drw_%00", "/draws/drw_%00/proof.json", "/gifts/together/ggf_%00", "/gifts/gft_%00",
        "/me/benefits/clm_%00", "/me/benefits/clm_%00/status", "/credits/trail/clm_%00",
    ],
)  # fmt: skip
def test_no_such_address(phone, address):
    assert phone.get(address).status_code == 404
    assert Client(raise_request_exception=False).get(address).status_code < 500


def test_the_api_says_it_as_it_says_everything(db):
    answer = Client(raise_request_exception=False).get("/api/v1/benefits/ben_%00")
    assert answer.status_code in (401, 404)
    assert answer["Content-Type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("/welcome/leave", {"wallet": "\0", "agree": "yes"}),
        ("/bind", {"entry": "\0"}),
        ("/benefits/{slug}/wait", {"release": "rel_\0"}),
        ("/benefits/{slug}/together", {"words": "a\0"}),
    ],
)
def test_no_such_form(phone, address, fields):
    slug = make_benefit().slug
    answer = phone.post(
        address.format(slug=slug),
        urlencode(fields),
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 400


def test_a_press_that_names_no_release_is_answered_in_words(phone):
    release = make_release(make_benefit(), codes=1)
    answer = phone.post(
        f"/benefits/{release.benefit.slug}/claim",
        {"release": "rel_\0", "op_id": str(uuid7()), "price": "0"},
        HTTP_HX_REQUEST="true",
    )
    assert (answer.status_code, 'role="alert"' in answer.content.decode()) == (200, True)
    assert not release.claims.exists()
