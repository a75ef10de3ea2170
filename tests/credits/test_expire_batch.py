from datetime import date, timedelta

from credits import ledger
from credits.kinds import Counter, Kind
from credits.queries import get_balance, list_entries
from tests.credits.conftest import rows, standing, travel
from tests.factories import make_member
from zone.core.ids import uuid7

MARCH, MAY = date(2027, 3, 31), date(2027, 5, 31)


def test_the_sweep_settles_lapsed_buckets_and_leaves_the_rest(alice, bob, carol):
    for member, until in ((alice, MARCH), (alice, MAY), (bob, MARCH), (carol, MAY)):
        ledger.earn(member_id=member.pk, op_id=uuid7(), amount=10, until=until)
    assert ledger.expire_batch() == 0
    untouched = standing(carol.pk)

    with travel(timedelta(days=140)):
        assert (ledger.expire_batch(), ledger.expire_batch()) == (2, 0)

        assert [get_balance(m).available for m in (alice, bob, carol)] == [10, 0, 10]
        line = list_entries(alice)[0]
        assert (line.kind, line.amount, line.alloc) == (Kind.EXPIRE, -10, [652, 10])
        assert line.counter == Counter.BREAKAGE
    assert standing(carol.pk) == untouched
    assert rows("SELECT member_id, month FROM ledger.lot_due ORDER BY 1") == sorted(
        [(alice.pk, 328), (carol.pk, 328)]
    )


def test_it_works_in_batches_and_two_months_of_one_member_are_one_entry(db):
    members = [make_member() for _ in range(5)]
    for member in members:
        for until in (MARCH, date(2027, 2, 1), MAY):
            ledger.earn(member_id=member.pk, op_id=uuid7(), amount=10, until=until)
    with travel(timedelta(days=140)):
        counts = [ledger.expire_batch(3) for _ in range(6)]
        assert counts == [3, 3, 3, 1, 0, 0]
        for member in members:
            assert get_balance(member).available == 10
            assert [line.kind for line in list_entries(member)][:2] == [Kind.EXPIRE, Kind.EARN]


def test_markets_lapse_at_their_own_midnight(db):
    shanghai, manila = make_member(), make_member(wallet="GCASH")
    rows("UPDATE members_wallet SET time_zone = 'America/Los_Angeles' WHERE code = 'TNG'")
    west = make_member(wallet="TNG")
    for member in (shanghai, manila, west):
        ledger.earn(member_id=member.pk, op_id=uuid7(), amount=10, until=MARCH)
    first_midnight = rows(
        "SELECT timestamp '2027-04-01 00:00' AT TIME ZONE 'Asia/Shanghai' - zone_now()"
    )[0][0]
    with travel(first_midnight + timedelta(minutes=1)):
        assert ledger.expire_batch() == 2
        assert [get_balance(m).available for m in (shanghai, manila, west)] == [0, 0, 10]


def test_spent_credits_do_not_expire(alice):
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=10, until=MARCH)
    ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=10)
    with travel(timedelta(days=140)):
        ledger.expire_batch()
        assert [line.kind for line in list_entries(alice)] == [Kind.SPEND, Kind.EARN]
