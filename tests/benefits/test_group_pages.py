"""The pages of a gift with friends without JavaScript, its trail, and the operator's button."""

import re
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from django.test import Client

from benefits.models import Claim, GroupGift, GroupPart
from benefits.services import gift_moves
from credits.services.earning import drain_earning
from tests.benefits.grouping import (
    PRICE,
    make_friend,
    make_priced_release,
    put_in,
    standing,
    start,
    wallet_of,
)
from tests.credits.test_earning import USER_ID, pay
from tests.factories import bind, make_member, make_operator, sign_in, sign_in_operator
from zone.console.models import AuditEvent, OperatorScope
from zone.core.ids import uuid7
from zone.history.models import Charge
from zone.notices.models import Notice

pytestmark = pytest.mark.django_db


def phone_of(member):
    phone = Client()
    sign_in(phone, member)
    return phone


@pytest.fixture
def ann(db):
    return make_friend()


@pytest.fixture
def ben(db):
    return make_friend()


@pytest.fixture
def release(db):
    return make_priced_release()


@pytest.fixture
def group(ann, release):
    return start(ann, release)


def link_of(group):
    return f"/c/{gift_moves.read_token(group)}"


def page_of(group):
    return f"/gifts/together/{group.public_id}"


def filled(offered, **changes):
    form = {
        "release": offered.public_id, "price": PRICE, "op_id": str(uuid7()), "amount": "10",
        "days": "7", "theme": "violet", "words": "Hello you", "receiver_name": "Zoe",
        "signed_by": "Ann", "when": "now", "time_zone": "Asia/Shanghai",
    }  # fmt: skip
    return {**form, **changes}


def part(amount, **changes):
    return {"op_id": str(uuid7()), "amount": str(amount), "signed_by": "Ben", **changes}


def text_of(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def test_from_the_benefits_page_to_the_first_part(ann, release):
    phone, slug = phone_of(ann), release.benefit.slug
    assert f"/benefits/{slug}/together" in text_of(phone.get(f"/benefits/{slug}"))
    page = phone.get(f"/benefits/{slug}/together")
    assert page.status_code == 200
    assert "gets 80% of their part back" in text_of(page)
    form = filled(release)
    for _ in range(2):  # A second press is the same gift.
        started = phone.post(f"/benefits/{slug}/together", form)
        only = GroupGift.objects.get()
        assert (started.status_code, started["Location"]) == (302, page_of(only))
    assert (only.words, only.theme, only.state) == ("Hello you", "violet", "collecting")
    page = text_of(phone.get(page_of(only)))
    assert "20 credits are still missing" in page
    assert link_of(only) in page
    assert "10 credits are from you" in page
    assert "10 of 30" in text_of(phone.get("/gifts"))


@pytest.mark.parametrize(
    ("label", "changes", "status", "says"),
    [
        ("no part", {"amount": ""}, 422, "This field is required"),
        ("less than one", {"amount": "0"}, 422, "greater than or equal to 1"),
        ("not whole", {"amount": "1.5"}, 422, "whole number"),
        ("too long", {"days": "31"}, 422, "less than or equal to 30"),
        ("all of it", {"amount": "30"}, 422, "That would pay for all of it"),
        ("another price", {"price": "29"}, 409, "The price has changed"),
        ("another release", {"release": "rel_x"}, 409, "This has changed meanwhile"),
        ("too few credits", {"amount": "29", "_poor": True}, 409, "more credits"),
        ("a past hour", {"when": "later", "on": "2026-01-01", "hour": "09:00"}, 422, "past"),
    ],
)
def test_bad_forms_are_answered_and_start_nothing(ann, release, label, changes, status, says):
    member = make_friend(credits=5) if changes.pop("_poor", False) else ann
    answer = phone_of(member).post(
        f"/benefits/{release.benefit.slug}/together", filled(release, **changes)
    )
    assert answer.status_code == status, label
    assert says in text_of(answer)
    assert (GroupGift.objects.count(), wallet_of(member)[1]) == (0, 0)


def test_no_door_where_it_cannot_be(ann):
    free = make_priced_release(price=0)
    phone, slug = phone_of(ann), free.benefit.slug
    assert "/together" not in text_of(phone.get(f"/benefits/{slug}"))
    assert phone.get(f"/benefits/{slug}/together").status_code == 404
    late = phone.post(f"/benefits/{slug}/together", filled(free), follow=True)
    assert "cannot be paid for together" in text_of(late)


def test_a_friend_joins_by_the_link(client, ann, ben, group):
    closed = client.get(link_of(group))
    assert (closed.status_code, unquote(closed["Location"])) == (
        302,
        f"/welcome?next={link_of(group)}",
    )
    friend = phone_of(ben)
    assert friend.get(page_of(group)).status_code == 404  # Not theirs yet.
    page = text_of(friend.get(link_of(group)))
    assert "20 credits are still missing" in page
    assert "started by Ann" in page
    assert "For you" not in page  # What is said is for who opens it.
    put = friend.post(link_of(group), part(5))
    assert put["Location"] == page_of(group)
    page = text_of(friend.get(page_of(group)))
    assert ("5 credits are from you" in page, "Ann" in page, "15 credits" in page) == (
        True, True, True,
    )  # fmt: skip
    assert "/call-off" not in page
    assert ben.public_id not in text_of(phone_of(ann).get(page_of(group)))
    assert "Ben" in text_of(phone_of(ann).get(page_of(group)))


def test_the_last_part_sends_the_gift(ann, ben, group):
    friend = phone_of(ben)
    form = part(20)
    for _ in range(2):
        done = friend.post(link_of(group), form)
        assert (done.status_code, done["Location"]) == (302, page_of(group))
    group.refresh_from_db()
    assert (group.state, Claim.objects.count()) == ("complete", 1)
    assert "It is complete" in text_of(friend.get(page_of(group)))
    assert "/gifts/gft_" not in text_of(friend.get(page_of(group)))  # The box is its starter's.
    starter = phone_of(ann)
    assert f"/gifts/{group.gift.public_id}" in text_of(starter.get(page_of(group)))
    given = text_of(starter.get(f"/gifts/{group.gift.public_id}"))
    assert ("Paid for together with friends" in given, "/recall" in given) == (True, False)
    recalled = starter.post(f"/gifts/{group.gift.public_id}/recall")
    assert (recalled.status_code, "cannot be called back" in text_of(recalled)) == (409, True)
    voucher = text_of(starter.get(f"/me/benefits/{group.claim.public_id}"))
    assert ("On its way to a friend" in voucher, "Show the code" in voucher) == (True, False)


def test_too_much_is_said_with_what_is_missing(ben, group):
    friend = phone_of(ben)
    answer = friend.post(link_of(group), part(21))
    assert answer.status_code == 422
    assert "Only 20 credits are missing now" in text_of(answer)
    for amount in ("", "x", "-1", "0"):
        assert friend.post(link_of(group), part(amount)).status_code == 422
    assert (standing(group), wallet_of(ben)) == (("collecting", 10), (100, 0))


def test_take_back_and_call_off(ann, ben, group):
    friend, starter = phone_of(ben), phone_of(ann)
    friend.post(link_of(group), part(5))
    assert friend.post(f"{page_of(group)}/call-off").status_code == 404
    assert friend.post(f"{page_of(group)}/take-back").status_code == 302
    assert wallet_of(ben) == (100, 0)
    assert friend.post(f"{page_of(group)}/part", part(6)).status_code == 302
    assert starter.post(f"{page_of(group)}/call-off").status_code == 302
    assert (standing(group), wallet_of(ben), wallet_of(ann)) == (
        ("called_off", 0), (100, 0), (100, 0),
    )  # fmt: skip
    late = friend.post(f"{page_of(group)}/part", part(6))
    assert (late.status_code, "not collecting any more" in text_of(late)) == (409, True)
    assert "It was called off" in text_of(starter.get(page_of(group)))
    assert "Called off" in text_of(starter.get("/gifts"))


def test_strangers_and_unknown_links(ben, group):
    friend = phone_of(ben)
    assert friend.get("/c/nothing").status_code == 404
    for verb in ("part", "take-back", "call-off"):
        assert friend.post(f"{page_of(group)}/{verb}", part(1)).status_code == 404
    assert friend.get(f"{page_of(group)}/poster.png").status_code == 404


def test_the_poster_and_its_end(ann, group):
    starter = phone_of(ann)
    poster = starter.get(f"{page_of(group)}/poster.png")
    assert (poster.status_code, poster["Content-Type"]) == (200, "image/png")
    starter.post(f"{page_of(group)}/call-off")
    assert starter.get(f"{page_of(group)}/poster.png").status_code == 404


def test_a_chinese_reader_is_answered_in_chinese(ann, ben, group):
    for member in (ann, ben):
        member.language = "zh-hans"
        member.save(update_fields=["language"])
    starter, friend = phone_of(ann), phone_of(ben)
    assert "还差 20 积分" in text_of(friend.get(link_of(group)))
    assert "取消，全部退还" in text_of(starter.get(page_of(group)))
    friend.post(link_of(group), part(20))
    assert "积分已凑齐" in text_of(friend.get("/inbox"))
    assert "你在合送礼物中的一份" in text_of(friend.get("/credits/statement"))
    slug = make_priced_release().benefit.slug
    assert "募集天数" in text_of(starter.get(f"/benefits/{slug}/together"))


def test_every_kind_of_notice_has_its_words(ben, group):
    for kind in ("complete", "called_off", "ended", "refused", "returned"):
        Notice.objects.create(
            member=ben, kind=f"group_{kind}", created_at="2026-11-01T00:00:00Z",
            facts={"title": {"en": "Coupon"}, "receiver_name": "Zoe", "credits": 5, "back": 4},
        )  # fmt: skip
    page = text_of(phone_of(ben).get("/inbox"))
    for said in ("Coupon is complete", "was called off", "not complete in time", "fell through",
                 "4 credits came back to you", "on its way to Zoe"):  # fmt: skip
        assert said in page


def test_the_trail_leads_from_the_purchase_to_the_gift_and_back(client, ann, group):
    payer = make_member(user_id=USER_ID)
    bind(payer)
    pay(6800, bill_no="E1", at=datetime(2026, 11, 1, 4, tzinfo=UTC))
    while not drain_earning().is_empty:
        pass
    put_in(group, payer, 20)
    sign_in(client, payer)
    charge = Charge.objects.get()
    forward = text_of(client.get(f"/credits/trail/{charge.public_id}"))
    assert f'href="{page_of(group)}"' in forward
    assert "−20<" in forward
    assert f'href="/credits/trail/{group.public_id}"' in text_of(client.get(page_of(group)))
    back = text_of(client.get(f"/credits/trail/{group.public_id}"))
    assert f'href="/activity/{charge.public_id}"' in back
    assert "+20<" in back
    assert phone_of(make_friend()).get(f"/credits/trail/{group.public_id}").status_code == 404
    statement = text_of(client.get("/credits/statement"))
    assert "Your part of a gift with friends" in statement
    assert "Gift with friends, set aside" in statement


def test_an_operator_calls_it_off(client, ben, group):
    put_in(group, ben, 5)
    page = f"/console/benefits/groupgift/{group.pk}"
    sign_in_operator(client, make_operator("viewer"))
    assert client.get(f"{page}/change/").status_code == 200
    assert client.post(f"{page}/call-off/", {"note": "x"}).status_code == 403
    sign_in_operator(client, make_operator("support"))
    assert f"{page}/call-off/" in text_of(client.get(f"{page}/change/"))
    assert client.post(f"{page}/call-off/", {"note": ""}).status_code == 200
    assert standing(group)[0] == "collecting"
    assert client.post(f"{page}/call-off/", {"note": "asked by phone"}).status_code == 302
    group.refresh_from_db()
    assert (group.state, group.note) == ("called_off", "asked by phone")
    assert group.closed_by.startswith("operator:support")
    assert wallet_of(ben) == (100, 0)
    deed = AuditEvent.objects.filter(after__path__endswith=f"{page}/call-off/").last()
    assert (deed.action, deed.actor) == ("submitted", group.closed_by)
    for words in ("For you", "Zoe"):  # What is between friends is not shown.
        assert words not in text_of(client.get(f"{page}/change/"))


def test_an_operator_sees_no_gift_with_a_part_of_another_wallet(client, ann, ben, group):
    put_in(group, ben, 5)
    operator = make_operator("support")
    OperatorScope.objects.create(user=operator).wallets.set(["ALIPAY_CN"])
    sign_in_operator(client, operator)
    listing, page = "/console/benefits/groupgift/", f"/console/benefits/groupgift/{group.pk}"
    assert group.public_id in text_of(client.get(listing))
    GroupPart.objects.filter(member=ben).update(member=make_friend(wallet="GCASH"))
    assert group.public_id not in text_of(client.get(listing))
    assert client.get(f"{page}/change/").status_code in (302, 404)
    assert client.post(f"{page}/call-off/", {"note": "x"}).status_code in (403, 404)
    assert standing(group)[0] == "collecting"


def test_queries_of_the_page_do_not_grow_with_the_friends(
    ann, ben, group, django_assert_max_num_queries
):
    starter = phone_of(ann)
    for _ in range(4):
        put_in(group, make_friend(), 1)
    with django_assert_max_num_queries(16):
        starter.get(page_of(group))
