"""What is said again in front of Django is what the page said, to those it would say it to."""

import io
import json
import re
import secrets
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections

from benefits.models import Claim
from benefits.rush import RushDoor, gone
from tests.benefits.factories import claim, load_codes, make_benefit, make_release
from tests.factories import make_member
from tests.pages.test_claim_cost import door as door
from tests.pages.test_claim_page import claim_address, form_of
from tests.pages.test_rush_door import reader
from zone.core import clock
from zone.core.clock import database_now
from zone.core.logs import JsonFormatter
from zone.members.services import sessions

TOKEN = secrets.token_hex(16)


@pytest.fixture
def release(db):
    """One that the first member took the only code of."""
    made = make_release(make_benefit(), codes=1, is_hot=True)
    claim(reader(), made)
    return made


@pytest.fixture
def server(db, monkeypatch):
    """The product behind its door; `asked` counts what reached it."""
    monkeypatch.setattr(gone, "PANEL_SECONDS", 60.0)  # A test machine may be slow.
    # The end of a request would end the test's own transaction.
    monkeypatch.setattr(connections["default"], "close_if_unusable_or_obsolete", lambda: None)

    class Server:
        asked = 0
        handler = WSGIHandler()

        def __call__(self, environ, start_response):
            self.asked += 1
            return self.handler(environ, start_response)

    behind = Server()
    behind.door = RushDoor(behind)
    return behind


def ask(server, member, release, *, headers=None, cookie=None, **form):
    """One press of the button as a server hands it on: status, headers and body."""
    body = urlencode({"csrfmiddlewaretoken": TOKEN, **form_of(release), **form}).encode()
    cookie = cookie or sessions.open_session(member=member or reader(), now=clock.now()).cookie
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": claim_address(release), "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body),
        "CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": str(len(body)),
        "HTTP_COOKIE": f"{settings.MEMBER_COOKIE_NAME}={cookie}; {settings.CSRF_COOKIE_NAME}={TOKEN}", "HTTP_HX_REQUEST": "true",
        **(headers or {}),
    }  # fmt: skip
    said = {}
    answer = server.door(environ, lambda status, named: said.update(status=status, headers=named))
    return said["status"], dict(said["headers"]), b"".join(answer)


def warm(server, release, **fields):
    """Three too late: the database said so, the page said so, and what it said was kept."""
    for _ in range(3):
        ask(server, reader(**fields), release)
    server.asked = 0


def test_whoever_is_in_the_same_position_hears_the_same(server, release, door):
    first = ask(server, reader(), release)
    warm(server, release)
    again = ask(server, reader(), release)
    assert server.asked == 0, "answered in front"
    assert b"All gone" in again[2] or b"all gone" in again[2]
    assert (again[0], again[2]) == (first[0], first[2])
    ids = [answer[1].pop("Request-Id") for answer in (first, again)]
    assert again[1] == first[1]
    assert len(set(ids)) == 2
    assert re.fullmatch(r"req_[0-9A-Z]{26}", ids[1])


def test_it_is_said_from_the_page_when_the_answer_is_old_or_the_release_came_back(
    server, release, door, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(gone, "PANEL_SECONDS", -1.0)
        warm(server, release)
        ask(server, reader(), release)
        assert server.asked == 1, "kept too long"
    door.sold_out_until.clear()
    load_codes(release, 1)
    winner = reader()
    assert b"All yours" in ask(server, winner, release)[2]
    assert Claim.objects.filter(member=winner).exists()


POSITIONS = {
    "in another language": lambda release: {"member": reader(language="zh-hans")},
    "of another market": lambda release: {"member": reader(storefront="HKG")},
    "not grown up": lambda release: {"member": reader(is_adult=False)},
    "not bound": lambda release: {"member": make_member()},
    "frozen": lambda release: {"member": reader(frozen_at=database_now())},
    "about to be erased": lambda release: {"member": reader(status="erasing")},
    "who has it": lambda release: {"member": Claim.objects.get(release=release).member},
    "nobody": lambda release: {"cookie": "made-up"},
    "by a page": lambda release: {"headers": {"HTTP_HX_REQUEST": ""}},
    "by a boosted link": lambda release: {"headers": {"HTTP_HX_BOOSTED": "true"}},
    "at another host": lambda release: {"headers": {"HTTP_HOST": "127.0.0.1"}},
    "behind a proxy": lambda release: {"headers": {"HTTP_X_FORWARDED_PROTO": "https"}},
    "too much at once": lambda release: {"padding": "x" * 3000},
    "of no operation": lambda release: {"op_id": "mine"},
}


@pytest.mark.parametrize("position", POSITIONS)
def test_who_is_not_in_that_position_is_answered_by_the_page(server, release, door, position):
    warm(server, release)
    how = {"member": reader(), **POSITIONS[position](release)}
    through = ask(server, release=release, **how)
    assert server.asked == 1
    server.door = server
    page = ask(server, release=release, **how)
    for answer in (through, page):
        answer[1].pop("Request-Id")
    assert [plain(each) for each in through] == [plain(each) for each in page]


def plain(part):
    """Without what is one request's own."""
    text = part.decode() if isinstance(part, bytes) else str(part)
    return re.sub(
        r"[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9A-Za-z]{64}\b|data-now=\"\d+\"|expires=[^;]*", "", text
    )


@pytest.mark.parametrize(
    "ended",
    [{"revoked_at": 0}, {"idle_until": 0}, {"expires_at": 0}],
    ids=lambda each: next(iter(each)),
)
def test_a_session_that_ended_hears_nothing_in_front(server, release, door, ended):
    warm(server, release)
    opened = sessions.open_session(member=reader(), now=clock.now())
    earlier = clock.now() - timedelta(seconds=1)
    type(opened.session).objects.filter(pk=opened.session.pk).update(
        **dict.fromkeys(ended, earlier)
    )
    body = ask(server, None, release, cookie=opened.cookie)[2]
    assert server.asked == 1
    assert b"gone" not in body


def test_a_code_won_by_who_came_late_is_said_to_nobody_else(server, release, door):
    warm(server, release)
    page = server.handler

    def comes_back_in_time(environ, start_response):
        door.sold_out_until.clear()
        load_codes(release, 1)
        return page(environ, start_response)

    server.handler = comes_back_in_time
    winner = reader(language="zh-hans")
    body = ask(server, winner, release)[2]
    won = Claim.objects.get(release=release, member=winner)
    assert won.public_id.encode() in body

    server.handler = page
    for _ in range(2):
        door.note_sold_out(release.pk)
        other = ask(server, reader(language="zh-hans"), release)[2]
        assert won.public_id.encode() not in other
        assert "抢光".encode() in other


def test_who_changes_their_language_meanwhile_leaves_nobody_their_words(server, release, door):
    """What the page said to one position is not what it says to the one the look had found."""
    warm(server, release)
    page, member = server.handler, reader(language="zh-hans")

    def changes_in_time(environ, start_response):
        type(member).objects.filter(pk=member.pk).update(language="en")
        return page(environ, start_response)

    server.handler = changes_in_time
    assert b"all gone" in ask(server, member, release)[2]
    server.handler = page
    for _ in range(2):
        assert "抢光".encode() in ask(server, reader(language="zh-hans"), release)[2]


def test_a_retry_of_a_claim_gets_its_first_answer(server, release, door):
    warm(server, release)
    made = Claim.objects.get(release=release)
    _, _, body = ask(server, made.member, release, op_id=made.op_id)
    assert server.asked == 1
    assert made.public_id.encode() in body


def test_a_database_that_is_away_is_the_pages_to_speak_of(server, release, door, monkeypatch):
    warm(server, release)

    def away(*_):
        raise gone.Error

    monkeypatch.setattr(gone, "fetch_rows", away)
    assert b"all gone" in ask(server, reader(), release)[2].lower()
    assert server.asked == 1


def test_it_has_its_line_in_the_log(server, release, door, caplog):
    warm(server, release)
    caplog.clear()
    caplog.handler.setFormatter(JsonFormatter())
    with caplog.at_level("INFO", logger="zone.access"):
        _, headers, _ = ask(server, reader(), release)
    assert server.asked == 0
    [line] = [json.loads(line) for line in caplog.text.splitlines()]
    assert line["request_id"] == headers["Request-Id"]
    assert (line["message"], line["status"]) == ("POST benefits/<slug:slug>/claim", 200)
