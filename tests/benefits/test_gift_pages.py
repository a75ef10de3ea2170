"""The gift pages without JavaScript: forms, redirects, sentences, and who sees what."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from benefits.models import Claim, Gift
from benefits.services import gift_moves, gifts
from tests.benefits.factories import claim, make_benefit, make_release
from tests.factories import bind, make_member, sign_in
from zone.core.clock import database_now
from zone.core.ids import uuid7

pytestmark = pytest.mark.django_db


@pytest.fixture
def phone(client, alice):
    sign_in(client, alice)
    return client


@pytest.fixture
def made(alice):
    return claim(alice, make_release(make_benefit(), codes=3))


@pytest.fixture
def gift(alice, made):
    return gifts.send_gift(
        giver=alice, claim=made, op_id=uuid7(), now=database_now(), theme="mint",
        words="Only for your eyes", signed_by="Ann", receiver_name="Ben",
    )  # fmt: skip


def phone_of(member):
    other = Client()
    sign_in(other, member)
    return other


def box_of(gift):
    return f"/g/{gift_moves.read_token(gift)}"


def filled(made, **changes):
    form = {
        "claim": made.public_id, "op_id": str(uuid7()), "theme": "violet", "words": "Hello  you",
        "receiver_name": "Ben", "signed_by": "Ann", "when": "now", "time_zone": "Asia/Shanghai",
    }  # fmt: skip
    return {**form, **changes}


def test_preview_changes_nothing_and_send_sends_once(phone, made):
    form = filled(made)
    seen = phone.post("/gifts/new", {**form, "step": "preview"})
    assert seen.status_code == 200
    assert "Hello you" in seen.content.decode()
    assert Gift.objects.count() == 0
    for _ in range(2):
        sent = phone.post("/gifts/new", {**form, "step": "send"})
        only = Gift.objects.get()
        assert (sent.status_code, sent["Location"]) == (302, f"/gifts/{only.public_id}")
    assert (only.words, only.theme, only.state) == ("Hello you", "violet", "delivered")


def test_nine_in_manila_is_stored_as_that_instant(phone, made):
    day = (database_now() + timedelta(days=3)).date()
    form = filled(
        made, when="later", on=day.isoformat(), hour="09:00", time_zone="Asia/Manila", step="send"
    )
    assert phone.post("/gifts/new", form).status_code == 302
    only = Gift.objects.get()
    wanted = datetime(day.year, day.month, day.day, 9, tzinfo=ZoneInfo("Asia/Manila"))
    assert (only.deliver_at, only.time_zone, only.state) == (wanted, "Asia/Manila", "scheduled")


@pytest.mark.parametrize(
    ("label", "changes", "says"),
    [
        ("fifty-one letters", {"words": "x" * 51}, "at most 50 characters"),
        ("a day that is over", {"when": "later", "on": "2026-01-01", "hour": "09:00"}, "past"),
        ("no hour", {"when": "later"}, "Choose a day and an hour."),
        ("somebody else's claim", {"claim": "clm_01ARYZ6S41TSV4RRFFQ69G5FAV"}, "Choose one of"),
        ("a zone that is none", {"when": "later", "time_zone": "Mars/Base"}, "Choose a day"),
    ],
)
def test_bad_forms_are_answered_and_send_nothing(phone, made, label, changes, says):
    answer = phone.post("/gifts/new", filled(made, **changes, step="send"))
    assert answer.status_code == 422, label
    assert says in answer.content.decode()
    assert Gift.objects.count() == 0
    made.refresh_from_db()
    assert made.frozen_at is None


def test_a_closed_box_shows_no_words_and_leads_through_sign_in(client, gift):
    page = client.get(box_of(gift))
    text = page.content.decode()
    assert page.status_code == 200
    assert "A gift for Ben" in text
    assert "Only for your eyes" not in text
    assert gift.claim.benefit.text("en").title not in text
    assert f"/welcome?next={box_of(gift)}" in text
    answer = client.post(box_of(gift))
    assert (answer.status_code, answer["Location"].startswith("/welcome")) == (302, True)
    gift.refresh_from_db()
    assert gift.state == "delivered"


def test_open_accept_thank(gift, bob, phone):
    friend, box = phone_of(bob), box_of(gift)
    assert friend.get(box).status_code == 200  # Looking does not open it.
    opened = friend.post(box)
    assert opened["Location"] == f"/gifts/{gift.public_id}"
    assert "Only for your eyes" in friend.get(opened["Location"]).content.decode()
    assert friend.get(box)["Location"] == f"/gifts/{gift.public_id}"
    assert friend.post(f"/gifts/{gift.public_id}/accept").status_code == 302
    mine = Claim.objects.get(member=bob)
    assert "A gift from Ann" in friend.get(f"/me/benefits/{mine.public_id}").content.decode()
    code = friend.post(f"/me/benefits/{mine.public_id}/reveal").context["revealed"].code
    assert friend.post(f"/gifts/{gift.public_id}/thanks", {"words": "Yay"}).status_code == 302
    for page in (f"/gifts/{gift.public_id}", "/gifts", f"/me/benefits/{gift.claim.public_id}",
                 "/me/benefits?show=expired"):  # fmt: skip
        text = phone.get(page).content.decode()
        assert code not in text
        assert code[-4:] not in text
    assert "Yay" in phone.get(f"/gifts/{gift.public_id}").content.decode()


def test_the_second_opener_is_told_kindly(gift, bob):
    box = box_of(gift)
    phone_of(bob).post(box)
    dora = make_member()
    bind(dora)
    late = phone_of(dora)
    for answer in (late.get(box), late.post(box)):
        assert "Somebody opened this box before you" in answer.content.decode()
    assert late.get(f"/gifts/{gift.public_id}").status_code == 404
    assert late.post(f"/gifts/{gift.public_id}/accept").status_code == 404


def test_the_giver_is_led_to_the_track(phone, gift):
    text = phone.get(box_of(gift)).content.decode()
    assert "This is your own gift" in text
    page = phone.get(f"/gifts/{gift.public_id}").content.decode()
    assert gift_moves.read_token(gift) in page
    assert "Waiting to be opened" in page


def test_recall_edit_and_new_link(phone, gift):
    old = box_of(gift)
    card = {"theme": "blue", "words": "Better", "receiver_name": "B", "signed_by": "A"}
    assert phone.post(f"/gifts/{gift.public_id}/edit", {**card, "when": "now"}).status_code == 302
    phone.post(f"/gifts/{gift.public_id}/link")
    gift.refresh_from_db()
    assert (gift.words, gift.theme) == ("Better", "blue")
    assert phone.get(old).status_code == 404
    assert phone.post(f"/gifts/{gift.public_id}/recall").status_code == 302
    page = phone.get(f"/gifts/{gift.public_id}").content.decode()
    assert "Called back" in page
    assert "/g/" not in page
    assert phone.get(f"/gifts/{gift.public_id}/poster.png").status_code == 404


def test_too_late_to_recall_says_so(phone, gift, bob):
    phone_of(bob).post(box_of(gift))
    answer = phone.post(f"/gifts/{gift.public_id}/recall")
    assert answer.status_code == 409
    assert "has opened it already" in answer.content.decode()


def test_declined_is_only_returned_to_the_giver(phone, gift, bob):
    friend = phone_of(bob)
    friend.post(box_of(gift))
    friend.post(f"/gifts/{gift.public_id}/block")
    page = phone.get(f"/gifts/{gift.public_id}").content.decode()
    assert "Returned to you" in page
    assert "eclined" not in page
    blocked = friend.get("/gifts?show=received")
    assert "You sent it back" in blocked.content.decode()
    block = bob.gift_blocks.get()
    friend.post(f"/gifts/blocks/{block.pk}/remove")
    assert bob.gift_blocks.count() == 0


def test_nobody_else_sees_a_gift(client, gift, carol):
    stranger = phone_of(carol)
    for page in ("", "/edit", "/poster.png"):
        assert stranger.get(f"/gifts/{gift.public_id}{page}").status_code == 404
    for verb in ("recall", "link", "accept", "decline", "thanks", "block"):
        assert stranger.post(f"/gifts/{gift.public_id}/{verb}").status_code == 404
    assert client.get("/gifts").status_code == 302


def test_the_poster_is_a_picture_without_the_code(phone, gift):
    answer = phone.get(f"/gifts/{gift.public_id}/poster.png")
    assert (answer["Content-Type"], answer.content[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert "no-store" in answer["Cache-Control"]


def test_an_unbound_friend_is_shown_the_step(gift, carol):
    text = phone_of(carol).get(box_of(gift)).content.decode()
    assert "Link your wallet to your Apple account first" in text
    assert "/bind?next=" in text


def test_a_box_that_opens_later(phone, alice, bob, made):
    gift = gifts.send_gift(
        giver=alice, claim=made, op_id=uuid7(), now=database_now(), theme="blue",
        deliver_at=database_now() + timedelta(hours=3), time_zone="Asia/Manila",
    )  # fmt: skip
    friend = phone_of(bob)
    assert "This box opens" in friend.get(box_of(gift)).content.decode()
    assert friend.post(box_of(gift)).status_code == 409
    gift.refresh_from_db()
    assert (gift.state, gift.receiver_id) == ("scheduled", None)
