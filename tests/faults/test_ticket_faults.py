"""A worker killed while tickets are paid back or settled: each once, whatever was interrupted."""

import signal

import pytest

from benefits.models import Claim, DrawEntry
from benefits.services import draws
from credits.models import Entry
from tests.benefits.factories import claim
from tests.benefits.test_draw_tickets import available, buyers, close, make_draw, make_tickets
from tests.databases import verify_books
from tests.faults.test_draw_faults import drain
from zone.core.clock import database_now
from zone.notices.models import Notice

pytestmark = pytest.mark.slow


def test_a_killed_pay_back_pays_each_ticket_once(cloned_database):
    draw = make_draw()
    release = make_tickets(draw, price=10)
    members = buyers(3, credits=20)
    for member in members:
        for _ in range(2):
            claim(member, release)
    draws.cancel_draw(draw=draw, actor="operator:x", now=database_now())
    died = drain(cloned_database, ZONE_FAILPOINT="ticket_before_paid_back")
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert DrawEntry.objects.filter(told_at=None).count() == 6
    assert [available(member) for member in members] == [0, 0, 0]
    for _ in range(2):
        done = drain(cloned_database)
        assert done.returncode == 0, done.stderr
        assert [available(member) for member in members] == [20, 20, 20]
    assert Notice.objects.filter(kind="claim_revoked").count() == 6
    assert Entry.objects.filter(reason="benefit", available_change=10).count() == 6
    code, report = verify_books(cloned_database)
    assert code == 0, report


def test_a_killed_draw_settles_each_ticket_once(cloned_database):
    draw = make_draw(stock=2)
    release = make_tickets(draw)
    for member in buyers(4):
        for _ in range(2):
            claim(member, release)
    close(draw)
    died = drain(cloned_database, ZONE_FAILPOINT="draw_before_told")
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert Claim.objects.filter(mode="draw", state="granted").count() == 8
    assert not Notice.objects.filter(kind__startswith="draw_").exists()
    done = drain(cloned_database)
    assert done.returncode == 0, done.stderr
    assert Claim.objects.filter(mode="draw", state="redeemed").count() == 8
    assert Notice.objects.filter(kind__startswith="draw_").count() == 4
    code, report = verify_books(cloned_database)
    assert code == 0, report
