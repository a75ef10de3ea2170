"""Who wins in front of Django gets what the page gives, and nobody wins whom the page would refuse."""

import re
import secrets
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from benefits.gate import Gate
from benefits.models import Benefit, Bundle, BundleItem, Claim, RuleVersion
from benefits.queries import find_code
from benefits.rush import gone, winners
from benefits.services.pools import open_code
from benefits.templatetags.benefit_looks import in_groups
from tests.benefits.factories import load_codes, make_benefit, make_release
from tests.factories import make_member
from tests.pages.test_claim_cost import door as door
from tests.pages.test_claim_page import form_of
from tests.pages.test_rush_door import reader
from tests.pages.test_rush_wsgi import ask, plain
from tests.pages.test_rush_wsgi import server as server
from zone.core import clock
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.core.vault import VaultError
from zone.members.models import MemberSession
from zone.members.services import sessions


@pytest.fixture(autouse=True)
def slow_machine(monkeypatch):
    monkeypatch.setattr(winners, "PANEL_SECONDS", 60.0)


def make(codes=8, **benefit):
    return make_release(make_benefit(**benefit), codes=codes, is_hot=True)


def open_up(server, release, member=None):
    """One winner served by the page, and one in front: from now on that is where they are served."""
    for who in (member or reader(), reader()):
        assert b"All yours" in ask(server, who, release)[2]
    server.asked = 0


def plain_of(answer, member):
    """An answer without what is the member's or the request's own."""
    status, headers, body = answer
    text = plain(body)
    made = Claim.objects.filter(member=member).first()
    if made is not None:
        opened = open_code(find_code(made))
        words = (escape(opened.redeem_url), in_groups(opened.code), opened.code, made.public_id)
        for word in words:
            assert word in text
            text = text.replace(word, "")
    headers.pop("Request-Id")
    return status, headers, text


@pytest.mark.parametrize("wait", [None, 2], ids=["at once", "in two days"])
@pytest.mark.parametrize("language", ["en", "zh-hans", "zh-hant"])
def test_a_winner_in_front_gets_what_the_page_gives(server, door, language, wait):
    release = make(usable_after_days=wait)
    first, second, third = (reader(language=language) for _ in range(3))
    page = plain_of(ask(server, first, release), first)
    assert server.asked == 1
    assert ("Good from" in page[2]) is (wait is not None and language == "en")
    with CaptureQueriesContext(connection) as caught:
        assert plain_of(ask(server, second, release), second) == page
    assert plain_of(ask(server, third, release), third) == page
    assert server.asked == 1
    assert sum("benefits_rush_claim" in query["sql"] for query in caught) == 2, "judged, claimed"
    for member in (first, second, third):
        made = Claim.objects.get(member=member)
        actor = f"member:{member.public_id}"
        assert (made.state, made.revealed_at) == ("granted", made.granted_at)
        assert list(made.events.order_by("id").values_list("cause", "actor")) == [
            ("claim", actor), ("reveal", actor),
        ]  # fmt: skip


def test_a_winner_in_front_costs_one_query(server, door):
    release = make()
    open_up(server, release)
    winner = reader()
    cookie = sessions.open_session(member=winner, now=clock.now()).cookie
    with CaptureQueriesContext(connection) as caught:
        assert b"All yours" in ask(server, winner, release, cookie=cookie)[2]
    assert len([q for q in caught if "SAVEPOINT" not in q["sql"]]) == 1
    assert server.asked == 0


BARRED = {
    "under age": ({"requires_adult": True}, lambda: reader(is_adult=False)),
    "of another market": ({"storefronts": ["CHN"]}, lambda: reader(storefront="HKG")),
    "not bound": ({"requires_binding": True}, make_member),
    "of another wallet": ({"wallets": ["ALIPAY_CN"]}, lambda: make_member(wallet="GCASH")),
    "frozen": ({}, lambda: reader(frozen_at=database_now())),
    "about to be erased": ({}, lambda: reader(status="erasing")),
}


@pytest.mark.parametrize("who", BARRED)
def test_whom_the_page_refuses_wins_nothing_in_front(server, door, who):
    fields, make_one = BARRED[who]
    release = make(**fields)
    open_up(server, release)
    barred = make_one()
    if who == "of another market":
        barred.bindings.update(storefront="HKG")
    through = ask(server, barred, release)
    assert server.asked == 1
    assert not Claim.objects.filter(member=barred).exists()
    page = ask(server, barred, release)
    for answer in (through, page):
        answer[1].pop("Request-Id")
    through, page = (
        [re.sub("req_[0-9A-Z]{26}", "", plain(part)) for part in answer]
        for answer in (through, page)
    )
    assert through == page


def test_control_it_is_the_rules_that_keep_them_out(server, door, monkeypatch):
    release = make(requires_adult=True)
    open_up(server, release)
    monkeypatch.setattr(winners, "_lets_in", lambda *_: True)
    assert b"All yours" in ask(server, reader(is_adult=False), release)[2]
    assert server.asked == 0


@pytest.mark.parametrize("ended", ["revoked_at", "idle_until", "expires_at"])
def test_a_session_that_ended_wins_nothing(server, door, ended):
    release = make()
    open_up(server, release)
    member = reader()
    opened = sessions.open_session(member=member, now=clock.now())
    earlier = clock.now() - timedelta(seconds=1)
    MemberSession.objects.filter(pk=opened.session.pk).update(**{ended: earlier})
    assert b"All yours" not in ask(server, None, release, cookie=opened.cookie)[2]
    assert not Claim.objects.filter(member=member).exists()


def test_a_session_still_for_an_hour_is_moved_on_by_the_page(server, door):
    release = make()
    open_up(server, release)
    opened = sessions.open_session(member=reader(), now=clock.now())
    before = clock.now() - timedelta(hours=2)
    MemberSession.objects.filter(pk=opened.session.pk).update(seen_at=before)
    assert b"All yours" in ask(server, None, release, cookie=opened.cookie)[2]
    assert server.asked == 1
    opened.session.refresh_from_db()
    assert opened.session.seen_at > before


FORMS = {
    "without a token": {"csrfmiddlewaretoken": ""},
    "with another's token": {"csrfmiddlewaretoken": secrets.token_hex(16)},
    "of another site": {"headers": {"HTTP_ORIGIN": "https://elsewhere.example"}},
    "from a page of yesterday": {"op_id": "yesterday"},
    "with a price we never said": {"price": 7},
    "by a page": {"headers": {"HTTP_HX_REQUEST": ""}},
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_that_is_not_ours_claims_nothing(server, door, form):
    release = make()
    open_up(server, release)
    how = dict(FORMS[form])
    if how.get("op_id") == "yesterday":
        how["op_id"] = uuid7(clock.now() - timedelta(hours=25))
    member = reader()
    _, _, body = ask(server, member, release, **how)
    assert server.asked == 1
    assert b"All yours" not in body
    if form != "by a page":
        assert not Claim.objects.filter(member=member).exists()


def test_a_retry_gets_its_claim_and_a_second_press_hears_of_it(server, door):
    release = make()
    open_up(server, release)
    people = [reader(), reader()]
    forms = [{"op_id": form_of(release)["op_id"]} for _ in people]
    cookies = [sessions.open_session(member=who, now=clock.now()).cookie for who in people]
    for form, cookie in zip(forms, cookies, strict=True):
        assert b"All yours" in ask(server, None, release, cookie=cookie, **form)[2]
    assert server.asked == 0
    made = [Claim.objects.get(member=who) for who in people]
    for one, form, cookie in zip(made, forms, cookies, strict=True):
        again = ask(server, None, release, cookie=cookie, **form)[2]
        assert b"All yours" in again
        assert one.public_id.encode() in again
        assert open_code(find_code(one)).code.encode() in again
    assert server.asked == 0, "answered in front"
    heard = [ask(server, None, release, cookie=cookie)[2].decode() for cookie in cookies]
    assert server.asked == 1, "the first by the page, the second in front"
    assert heard[0].replace(made[0].public_id, made[1].public_id) == heard[1]
    assert "You have this one" in heard[1]
    assert made[1].public_id in heard[1]
    assert Claim.objects.filter(member__in=people).count() == 2


def test_who_changes_their_language_meanwhile_leaves_nobody_their_words(server, door):
    release = make()
    open_up(server, release)
    first, second = (reader(language="zh-hans") for _ in range(2))
    for member in (first, second):
        ask(server, member, release)
    page = server.handler

    def changes_in_time(environ, start_response):
        type(first).objects.filter(pk=first.pk).update(language="en")
        return page(environ, start_response)

    server.handler = changes_in_time
    assert b"You have this one" in ask(server, first, release)[2]
    server.handler = page
    assert b"You have this one" not in ask(server, second, release)[2]


def won_by_a_press(server, release, **fields):
    """A member who won in front, how they ask again, and their claim."""
    member = reader(**fields)
    cookie = sessions.open_session(member=member, now=clock.now()).cookie
    retry = {"cookie": cookie, "op_id": form_of(release)["op_id"]}
    ask(server, None, release, **retry)
    server.asked = 0
    return member, retry, Claim.objects.get(member=member)


@pytest.mark.parametrize("wait", [None, 2], ids=["at once", "in two days"])
@pytest.mark.parametrize("is_gone", [False, True], ids=["in the rush", "when it is over"])
def test_a_retry_in_front_gets_what_the_page_gives(server, door, is_gone, wait):
    release = make(codes=4, usable_after_days=wait)
    open_up(server, release)
    member, retry, made = won_by_a_press(server, release, language="zh-hans")
    if is_gone:
        for _ in range(3):
            ask(server, reader(), release)
        assert b"all gone" in ask(server, reader(), release)[2].lower()
        assert door.is_sold_out(release.pk)
        server.asked = 0
    front = ask(server, None, release, **retry)
    assert server.asked == 0
    shown = list(made.events.order_by("id").values_list("cause", "actor"))
    server.door = server
    page = ask(server, None, release, **retry)
    assert plain_of(front, member) == plain_of(page, member)
    told = list(made.events.order_by("id").values_list("cause", "actor"))
    assert [cause for cause, _ in shown] == ["claim", "reveal", "reveal"]
    assert told == [*shown, shown[-1]], "the page leaves the same line"


def redeem(made):
    made.state, made.redeemed_at = "redeemed", database_now()


def touch(made):
    made.updated_at = database_now()


def end(made):
    made.valid_until = database_now() - timedelta(seconds=1)


def seal(made):
    made.revealed_at = None


def start(made):
    made.valid_from = database_now() - timedelta(microseconds=1)


@pytest.mark.parametrize("become", [redeem, touch, end, seal, start])
def test_what_became_of_a_claim_is_the_pages_to_speak_of(server, door, become):
    release = make()
    open_up(server, release)
    _, retry, made = won_by_a_press(server, release)
    become(made)
    made.save()
    lines = made.events.count()
    ask(server, None, release, **retry)
    assert server.asked == 1
    assert made.events.filter(cause="reveal").count() - 1 <= made.events.count() - lines <= 1


@pytest.mark.parametrize(
    "how",
    [{"csrfmiddlewaretoken": "0" * 32}, {"price": 7}, {"headers": {"HTTP_HX_REQUEST": ""}}],
    ids=["without our token", "at another price", "by a page"],
)
def test_a_retry_that_is_another_press_is_the_pages_to_speak_of(server, door, how):
    release = make()
    open_up(server, release)
    _, retry, made = won_by_a_press(server, release)
    body = ask(server, None, release, **{**retry, **how})[2]
    assert server.asked == 1
    assert open_code(find_code(made)).code.encode() not in body


def test_somebody_elses_press_is_nobodys_retry(server, door):
    release = make()
    open_up(server, release)
    _, retry, made = won_by_a_press(server, release)
    other = reader()
    body = ask(server, other, release, op_id=retry["op_id"])[2]
    assert made.public_id.encode() not in body
    assert Claim.objects.filter(member=other).exists()


def test_a_retry_after_the_words_changed_is_the_pages_to_speak_of(server, door):
    release = make()
    open_up(server, release)
    _, retry, made = won_by_a_press(server, release)
    change_words(release)
    assert made.public_id.encode() in ask(server, None, release, **retry)[2]
    assert server.asked == 1


def change_words(release):
    release.benefit.texts.update(title="Quite another name")


def add_rule(release):
    RuleVersion.objects.create(
        benefit=release.benefit,
        version=1,
        tree={"is": "segment", "of": "nobody"},
        actor="operator:test",
        created_at=database_now(),
    )


def add_choice(release):
    bundle = Bundle.objects.create(slug="one-of-two", kind=Bundle.Kind.PICK, picks=1)
    BundleItem.objects.create(bundle=bundle, benefit=release.benefit)


def pause(release):
    Benefit.objects.filter(pk=release.benefit_id).update(status="paused")


CHANGES = {change_words: "All yours", add_rule: "Not this time", add_choice: "All yours",
           pause: "Not this time"}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_release_that_changed_is_the_pages_to_speak_of(server, door, change):
    release = make()
    open_up(server, release)
    change(release)
    body = ask(server, reader(), release)[2].decode()
    assert server.asked == 1
    assert CHANGES[change] in body
    if change is change_words:
        assert "Quite another name" in body


def test_only_a_rush_is_served_in_front(server, door):
    release = make_release(make_benefit(), codes=4)
    for _ in range(3):
        ask(server, reader(), release)
    assert server.asked == 3


def test_what_goes_wrong_after_the_claim_is_found_by_the_page(server, door, monkeypatch):
    release = make()
    open_up(server, release)

    def broken(_):
        raise VaultError

    monkeypatch.setattr(winners, "open_sealed", broken)
    winner = reader()
    body = ask(server, winner, release)[2]
    made = Claim.objects.get(member=winner)
    assert server.asked == 1
    assert open_code(find_code(made)).code.encode() in body


def refuse(*_, **__):
    raise gone.Error


def test_a_full_gate_is_the_pages_to_speak_of(server, door, monkeypatch):
    release = make()
    open_up(server, release)
    monkeypatch.setattr(winners, "gate", Gate())
    monkeypatch.setattr(winners.gate, "admit_all", lambda visitors, **_: [False for _ in visitors])
    winner = reader()
    assert b"All yours" in ask(server, winner, release)[2]
    assert Claim.objects.filter(member=winner).count() == 1
    assert server.asked == 1


@pytest.mark.parametrize("calls", [["rush_together"], ["rush_together", "rush"]])
def test_who_cannot_be_served_together_asks_alone_and_then_the_page(
    server, door, monkeypatch, calls
):
    release = make()
    open_up(server, release)
    for call in calls:
        monkeypatch.setattr(winners.rush_sql, call, refuse)
    winner = reader()
    assert b"All yours" in ask(server, winner, release)[2]
    assert Claim.objects.filter(member=winner).count() == 1
    assert server.asked == len(calls) - 1


def test_the_last_code_is_the_last(server, door):
    release = make(codes=3)
    open_up(server, release)
    assert b"All yours" in ask(server, reader(), release)[2]
    assert server.asked == 0
    for _ in range(2):
        assert b"gone" in ask(server, reader(), release)[2].lower()
    assert server.asked == 2
    load_codes(release, 1)
    door.sold_out_until.clear()
    assert b"All yours" in ask(server, reader(), release)[2]
    assert Claim.objects.filter(release=release).count() == 4
