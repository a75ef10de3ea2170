"""A member's cookie: opened, read in one query, aged, ended."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import RequestFactory

from zone.core import clock
from zone.members.middleware import MemberMiddleware
from zone.members.models import Member, MemberSession
from zone.members.services import sessions


def read(cookie):
    return sessions.find_session(cookie)


def test_cookie_finds_member_and_wallet_in_one_query(alice, django_assert_num_queries):
    opened = sessions.open_session(member=alice, now=clock.now())
    with django_assert_num_queries(1):
        found = read(opened.cookie)
        assert found.member == alice
        assert found.member.wallet.code == "ALIPAY_CN"


@pytest.mark.parametrize("cookie", [None, "", "nonsense", "a:b", "x" * 43 + ":" + "y" * 43])
def test_unsigned_cookie_costs_no_query(db, cookie, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert read(cookie) is None


def test_row_keeps_no_token(alice):
    opened = sessions.open_session(member=alice, now=clock.now())
    token = opened.cookie.partition(":")[0]
    assert len(bytes(opened.session.token_hash)) == 32
    assert token.encode() not in bytes(opened.session.token_hash)


@pytest.mark.parametrize(
    ("label", "seen_days_ago", "opened_days_ago", "is_open"),
    [
        ("fresh", 0, 0, True),
        ("idle for 29 days", 29, 29, True),
        ("idle for 31 days", 31, 31, False),
        ("used daily for 179 days", 1, 179, True),
        ("used daily for 181 days", 1, 181, False),
    ],
)
def test_limits(alice, label, seen_days_ago, opened_days_ago, is_open):
    now = clock.now()
    opened = sessions.open_session(member=alice, now=now - timedelta(days=opened_days_ago))
    # Used every day until `seen_days_ago`.
    for days in range(opened_days_ago, seen_days_ago - 1, -1):
        opened.session.refresh_from_db()
        sessions.refresh_session(opened.session, now - timedelta(days=days))
    assert (read(opened.cookie) is not None) is is_open, label


def test_idle_limit_never_passes_the_absolute_one(alice):
    start = clock.now()
    session = sessions.open_session(member=alice, now=start).session
    session.seen_at = start + timedelta(days=160)
    sessions.refresh_session(session, start + timedelta(days=170))
    session.refresh_from_db()
    assert session.idle_until == session.expires_at == start + timedelta(days=180)


def test_refresh_writes_at_most_once_an_hour(alice, django_assert_num_queries):
    now = clock.now()
    session = sessions.open_session(member=alice, now=now).session
    with django_assert_num_queries(0):
        sessions.refresh_session(session, now + timedelta(minutes=59))
    with django_assert_num_queries(1):
        sessions.refresh_session(session, now + timedelta(minutes=61))


def test_ended_session_is_ended_and_only_its_member_may_end_it(alice, bob):
    now = clock.now()
    opened = sessions.open_session(member=alice, now=now)
    assert sessions.end_session(member=bob, session_id=opened.session.pk, now=now) is False
    assert read(opened.cookie) is not None
    assert sessions.end_session(member=alice, session_id=opened.session.pk, now=now) is True
    assert read(opened.cookie) is None
    assert sessions.end_session(member=alice, session_id=opened.session.pk, now=now) is False


def test_end_all_keeps_the_one_asked_for_and_other_members(alice, bob):
    now = clock.now()
    kept, other = (sessions.open_session(member=alice, now=now) for _ in range(2))
    bobs = sessions.open_session(member=bob, now=now)
    assert sessions.end_all_sessions(member=alice, now=now, keep=kept.session.pk) == 1
    assert read(other.cookie) is None
    assert read(kept.cookie) is not None
    assert read(bobs.cookie) is not None
    assert [s.pk for s in sessions.list_open_sessions(member=alice, now=now)] == [kept.session.pk]


@pytest.mark.parametrize(
    ("status", "is_open"),
    [("active", True), ("suspended", False), ("erasing", True), ("erased", False)],
)
def test_status_of_the_member_decides(alice, status, is_open):
    opened = sessions.open_session(member=alice, now=clock.now())
    Member.objects.filter(pk=alice.pk).update(status=status)
    assert (read(opened.cookie) is not None) is is_open


@pytest.mark.parametrize(
    "path", ["/static/css/app.css", "/api/v1/members", "/console/", "/ingest/v1/x", "/healthz"]
)
def test_other_doors_read_nothing(alice, path, django_assert_num_queries):
    opened = sessions.open_session(member=alice, now=clock.now())
    request = RequestFactory().get(path)
    request.COOKIES[settings.MEMBER_COOKIE_NAME] = opened.cookie
    with django_assert_num_queries(0):
        MemberMiddleware(lambda request: None)(request)
    assert request.member is None


def test_signed_in_pages_cost_one_read(alice, django_assert_num_queries):
    opened = sessions.open_session(member=alice, now=clock.now())
    request = RequestFactory().get("/credits")
    request.COOKIES[settings.MEMBER_COOKIE_NAME] = opened.cookie
    with django_assert_num_queries(1):
        MemberMiddleware(lambda request: None)(request)
        assert request.member.wallet.currency == "CNY"
    assert MemberSession.objects.count() == 1
