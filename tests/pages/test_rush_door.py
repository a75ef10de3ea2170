"""A panel's claim is served in front of the page's frame: nothing of what the frame asks is lost."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from benefits import middleware
from benefits.models import Claim
from tests.benefits.factories import claim, make_benefit, make_release, soon
from tests.factories import bind, make_member, sign_in
from tests.pages.test_claim_cost import door as door
from tests.pages.test_claim_page import HTMX, claim_address, form_of
from zone.core.clock import database_now
from zone.core.ids import uuid7


def reader(language="en", **fields):
    member = make_member(language=language)
    bind(member)
    for name, value in fields.items():
        setattr(member, name, value)
    member.save()
    return member


def through_the_frame(self, request, session, slug):
    return self.get_response(request)


def ask(member, release, **form):
    phone = Client()
    sign_in(phone, member)
    return phone.post(
        claim_address(release), form_of(release, **form), headers={**HTMX, "Accept-Language": "fr"}
    )


def plain(answer):
    """An answer without what is one person's or one request's own."""
    text = re.sub(r"(clm|rel|mbr|req)_[0-9A-Z]{26}", r"\1", answer.content.decode())
    text = re.sub(r"TEST ?\d{4} ?\d{4} ?\d{4}|TEST\d{12}", "CODE", text)
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)
    headers = {name: value for name, value in answer.headers.items() if name != "Request-Id"}
    headers["Vary"] = ", ".join(sorted(headers.get("Vary", "").split(", ")))
    return answer.status_code, headers, sorted(answer.cookies), text


SCENES = {
    "a code": ({}, {"codes": 4}, {}),
    "a provider": ({}, {"stock": 4}, {}),
    "in Chinese": ({}, {"codes": 4}, {}),
    "too few credits": ({"price_credits": 50}, {"codes": 4}, {}),
    "another price": ({}, {"codes": 4}, {"price": 7}),
    "not yet": ({}, {"codes": 4, "opens_at": "soon"}, {}),
    "another wallet's": ({"wallets": ["ALIPAY_HK"]}, {"codes": 4}, {}),
    "a stale page": ({}, {"codes": 4}, {"op_id": "old"}),
    "a choice of two": ({"per_member": 2}, {"codes": 4, "per_member": 2}, {}),
}


@pytest.mark.parametrize("scene", SCENES)
def test_the_front_answers_as_the_frame_would(db, door, monkeypatch, scene):
    benefit, release, form = SCENES[scene]
    if release.get("opens_at"):
        release = {**release, "opens_at": soon(days=400)}
    if form.get("op_id"):
        form = {"op_id": uuid7(database_now() - timedelta(days=2))}
    language = "zh-hans" if scene == "in Chinese" else "en"
    made = make_release(make_benefit(**benefit), is_hot=True, **release)
    front = ask(reader(language), made, **form)
    monkeypatch.setattr(middleware.RushMiddleware, "claim", through_the_frame)
    frame = ask(reader(language), made, **form)
    for ours, theirs in zip(plain(front), plain(frame), strict=True):
        assert ours == theirs
    assert front["Content-Language"] == language


@pytest.mark.parametrize("has_token", [True, False], ids=["control", "without a token"])
def test_a_claim_without_its_form_token_is_refused(db, door, alice, has_token):
    release = make_release(make_benefit(), codes=1, is_hot=True)
    phone = Client(enforce_csrf_checks=True)
    sign_in(phone, alice)
    phone.get(f"/benefits/{release.benefit.slug}")
    phone.get(claim_address(release))
    token = phone.cookies["zone_csrf"].value
    form = form_of(release) | ({"csrfmiddlewaretoken": token} if has_token else {})
    answer = phone.post(claim_address(release), form, headers=HTMX)
    assert answer.status_code == (200 if has_token else 403)
    assert Claim.objects.filter(member=alice).exists() == has_token


def test_a_frozen_member_is_led_away_and_claims_nothing(client, door, alice):
    release = make_release(make_benefit(), codes=1, is_hot=True)
    alice.frozen_at = database_now()
    alice.save(update_fields=["frozen_at"])
    sign_in(client, alice)
    answer = client.post(claim_address(release), form_of(release), headers=HTMX)
    assert answer["HX-Redirect"] == "/me/on-hold"
    assert not Claim.objects.exists()


def test_claiming_keeps_a_session_awake(client, door, alice):
    release = make_release(make_benefit(), codes=1, is_hot=True)
    session = sign_in(client, alice)
    long_ago = session.seen_at - timedelta(hours=2)
    type(session).objects.filter(pk=session.pk).update(seen_at=long_ago)
    client.post(claim_address(release), form_of(release), headers=HTMX)
    session.refresh_from_db()
    assert session.seen_at > long_ago


def test_a_fault_in_the_claim_is_a_page_in_the_members_language(db, client, door, monkeypatch):
    release = make_release(make_benefit(), codes=1, is_hot=True)
    member = reader("zh-hans")
    sign_in(client, member)
    client.raise_request_exception = False

    def broken(**_):
        raise RuntimeError("out of order")

    monkeypatch.setattr("benefits.views.claiming.claim_and_reveal", broken)
    answer = client.post(claim_address(release), form_of(release), headers=HTMX)
    assert (answer.status_code, answer["Content-Language"]) == (500, "zh-hans")
    assert not Claim.objects.exists()


def test_a_retry_gets_its_first_answer_also_from_the_front(client, door, alice):
    release = make_release(make_benefit(), codes=1, is_hot=True)
    form = form_of(release)
    sign_in(client, alice)
    answers = [client.post(claim_address(release), form, headers=HTMX) for _ in range(2)]
    made = Claim.objects.get(member=alice)
    for answer in answers:
        assert b"All yours" in answer.content
        assert made.public_id.encode() in answer.content
    assert claim(alice, release, op_id=made.op_id) == made
