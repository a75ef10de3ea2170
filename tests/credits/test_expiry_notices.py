"""Credits that end are told of 30, 7 and 1 days before, once each, unless they are spent."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from credits import ledger
from credits.kinds import Funding
from credits.models import ExpiryRound
from credits.queries import expiry_of
from credits.services.expiry_notices import remind_of_expiry
from tests.credits.conftest import rows, travel
from zone.core.ids import uuid7
from zone.notices.models import Notice

HOME = ZoneInfo("Asia/Shanghai")


def _end_of_month_after_next():
    today = rows("SELECT (zone_now() AT TIME ZONE 'Asia/Shanghai')::date")[0][0]
    return expiry_of(((today.year - 2000) * 12 + today.month + 1) * 2)


def _noon_before(ends_on, days):
    """How far to travel to be there at noon, that many days before."""
    noon = datetime(ends_on.year, ends_on.month, ends_on.day, 12, tzinfo=HOME)
    now = rows("SELECT zone_now()")[0][0]
    return noon - timedelta(days=days) - now


def _drain():
    while remind_of_expiry(2):  # Small batches: a round takes several commits.
        pass


def _told(member):
    found = Notice.objects.filter(member=member, kind="credits_expiring").order_by("created_at")
    return [(n.facts["amount"], n.facts["expires_on"]) for n in found]


def test_three_notices_and_none_for_what_is_spent(alice, bob, carol):
    ends_on = _end_of_month_after_next()
    day = ends_on.isoformat()
    for member in (alice, bob, carol):
        ledger.earn(member_id=member.pk, op_id=uuid7(), amount=30, until=ends_on)
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=12, until=ends_on, funding=Funding.PAID)
    ledger.spend(member_id=carol.pk, op_id=uuid7(), amount=30)
    expected = {31: ([], []), 30: ([(42, day)], [(30, day)])}
    expected[29] = expected[8] = expected[30]

    for days, (of_alice, of_bob) in expected.items():
        with travel(_noon_before(ends_on, days)):
            _drain()
            _drain()
        assert (_told(alice), _told(bob), _told(carol)) == (of_alice, of_bob, [])

    with travel(_noon_before(ends_on, 7)):
        ledger.spend(member_id=bob.pk, op_id=uuid7(), amount=30)
        _drain()
    with travel(_noon_before(ends_on, 3)):
        ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=40)
        _drain()
    with travel(_noon_before(ends_on, 1)):
        _drain()
    with travel(_noon_before(ends_on, 0)):
        _drain()
    with travel(_noon_before(ends_on, -1)):
        _drain()

    assert _told(alice) == [(42, day), (42, day), (2, day)]
    assert _told(bob) == [(30, day)]
    assert _told(carol) == []


def test_after_a_pause_only_the_nearest_step_is_told(alice):
    ends_on = _end_of_month_after_next()
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=5, until=ends_on)
    with travel(_noon_before(ends_on, 1)):
        _drain()
    assert _told(alice) == [(5, ends_on.isoformat())]


def test_a_round_that_was_cut_short_goes_on_and_is_told_once(alice, bob):
    ends_on = _end_of_month_after_next()
    for member in (alice, bob):
        ledger.earn(member_id=member.pk, op_id=uuid7(), amount=5, until=ends_on)
    with travel(_noon_before(ends_on, 20)):
        while not _told(alice):
            assert remind_of_expiry(1) == 1
        assert _told(bob) == []
        _drain()
        ExpiryRound.objects.update(finished_at=None, last_member_id=0)
        _drain()
    assert len(_told(alice)) == len(_told(bob)) == 1
