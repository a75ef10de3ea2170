"""A ledger with many members in it, made by a few statements, and sound from the first row."""

from tests import factories
from tests.bench.report import say
from tests.databases import Database

LOADED_AT_ONCE = 100_000  # members
BUCKETS = 3
MONTHS_APART = 4  # their ends: the last is the one that credits earned now go to
IN_A_BUCKET = 1_000_000

# Copies of one member. The keys follow one another, so that a script can draw one at random.
_MEMBERS = """
    INSERT INTO members_member ({columns}, public_id)
    SELECT {columns}, 'mbr_' || lpad(n::text, 26, '0')
    FROM members_member, generate_series(1, %s) n
    WHERE id = %s ORDER BY n
"""
# Each got the same few earns, one bucket each.
_ACCOUNTS = """
    INSERT INTO ledger.account (member_id, zone, bucket_keys, bucket_left, seq, available, last_op)
    SELECT m.id, z.zone,
           array(SELECT (z.floor + %(apart)s * i)::smallint FROM generate_series(1, %(buckets)s) i),
           array_fill(%(amount)s, ARRAY[%(buckets)s]), %(buckets)s, %(buckets)s * %(amount)s,
           ledger.op_at(%(at)s + %(buckets)s * interval '1 ms', m.id || '/' || %(buckets)s)
    FROM members_member m, ledger.zone_day z
    WHERE m.id BETWEEN %(first)s AND %(last)s AND z.name = 'Asia/Shanghai' ORDER BY m.id
"""
_ENTRIES = """
    INSERT INTO ledger.entry (
        member_id, op_id, posted_at, seq, available_change, held_change, debt_change,
        available_after, held_after, debt_after, day, kind, counter, alloc
    )
    SELECT a.member_id, ledger.op_at(%(at)s + i * interval '1 ms', a.member_id || '/' || i), %(at)s, i, %(amount)s, 0, 0,
           i * %(amount)s, 0, 0, (%(at)s::timestamptz AT TIME ZONE 'Asia/Shanghai')::date, 1, 60,
           ARRAY[a.bucket_keys[i], %(amount)s]
    FROM ledger.account a, generate_series(1, %(buckets)s) i
    WHERE a.member_id BETWEEN %(first)s AND %(last)s ORDER BY a.member_id, i
"""
_DUE = """
    INSERT INTO ledger.lot_due (zone, month, member_id)
    SELECT a.zone, k / 2, a.member_id FROM ledger.account a, unnest(a.bucket_keys) k
    WHERE a.member_id BETWEEN %(first)s AND %(last)s ORDER BY 1, 2, 3
"""


def open_accounts(database: Database, number: int) -> tuple[int, int]:
    """`number` members with a well filled account each; the first and the last key."""
    pattern = factories.make_member()
    with database.connect(as_owner=True) as owner, owner.transaction():
        columns = owner.execute(
            "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = 'members_member'"
            " AND column_name NOT IN ('id', 'public_id')"
        ).fetchone()[0]
        # The market's row, its day and its months are made by the ledger's own functions.
        owner.execute("SELECT ledger.open_account(%s)", [pattern.pk])
        owner.execute(
            "SELECT ledger.advance_day(zone, (zone_now() AT TIME ZONE name)::date)"
            " FROM ledger.zone_day"
        )
        owner.execute("DELETE FROM ledger.account WHERE member_id = %s", [pattern.pk])
        owner.execute(_MEMBERS.format(columns=columns), [number, pattern.pk])
        [(first, last)] = owner.execute(
            "SELECT min(id), max(id) FROM members_member WHERE id > %s", [pattern.pk]
        ).fetchall()
        assert last - first == number - 1
        [(at,)] = owner.execute("SELECT zone_now() - interval '1 hour'").fetchall()
        for start in range(first, last + 1, LOADED_AT_ONCE):
            values = {
                "first": start,
                "last": min(start + LOADED_AT_ONCE - 1, last),
                "at": at,
                "buckets": BUCKETS,
                "amount": IN_A_BUCKET,
                "apart": 2 * MONTHS_APART,
            }
            for statement in (_ACCOUNTS, _ENTRIES, _DUE):
                owner.execute(statement, values)
            say(f"{values['last'] - first + 1:,} of {number:,} accounts loaded")
    with database.connect(as_owner=True) as owner:
        owner.execute("VACUUM ANALYZE ledger.account")
        owner.execute("VACUUM ANALYZE members_member")
        owner.execute("ANALYZE ledger.entry")
    return first, last
