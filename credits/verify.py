"""The promises of the ledger as queries: each returns the keys that break it, or nothing."""

from credits.verify_base import Invariant
from credits.verify_kept import KEPT_INVARIANTS
from credits.verify_standing import STANDING_INVARIANTS

__all__ = ["INVARIANTS", "Invariant"]

# Every (bucket, signed amount) that an entry moved.
_FLOWS = """
    SELECT member_id, seq, op_id, kind, day, alloc[i] AS key,
           sign(available_change)::int * alloc[i + 1] AS moved
    FROM ledger.entry, generate_series(1, cardinality(alloc), 2) i
"""

# Every sealed entry with its block: the last one that begins at or before its transaction. One
# sort of both, for a join on ranges would read the journal once for each block.
_SEALED = """
    SELECT * FROM (
        SELECT e.*, max(seal) OVER (ORDER BY txid) AS block FROM (
            SELECT block AS seal, tx_lo AS txid, NULL::bigint AS member_id, NULL::uuid AS op_id,
                   NULL::int AS a, NULL::int AS h, NULL::int AS d, NULL::bytea AS leaf
            FROM ledger.seal
            UNION ALL
            SELECT NULL, txid, member_id, op_id, available_change, held_change, debt_change,
                   ledger.leaf_of(entry)
            FROM ledger.entry WHERE txid < (SELECT max(tx_hi) FROM ledger.seal)
        ) e
    ) placed WHERE seal IS NULL
"""

INVARIANTS: list[Invariant] = [
    Invariant(
        "I1",
        "no balance is negative, and no one has credits beside debt",
        """
        SELECT member_id FROM ledger.account
        WHERE available < 0 OR held < 0 OR debt < 0 OR (debt > 0 AND available > 0)
        """,
    ),
    Invariant(
        "I2",
        "every balance is the sum of its history",
        """
        SELECT member_id
        FROM ledger.account
        FULL JOIN (
            SELECT member_id, sum(available_change) AS a, sum(held_change) AS h,
                   sum(debt_change) AS d, max(seq) AS s, count(*) AS n
            FROM ledger.entry GROUP BY member_id
        ) e USING (member_id)
        WHERE (available, held, debt, seq)
            IS DISTINCT FROM (coalesce(a, 0), coalesce(h, 0), coalesce(d, 0), coalesce(s, 0))
           OR n <> s
        """,
    ),
    Invariant(
        "I3",
        "entries follow one another without a gap",
        """
        SELECT member_id, op_id FROM (
            SELECT member_id, op_id,
                   seq - lag(seq, 1, 0) OVER w AS step,
                   available_after - lag(available_after, 1, 0) OVER w - available_change AS a,
                   held_after - lag(held_after, 1, 0) OVER w - held_change AS h,
                   debt_after - lag(debt_after, 1, 0) OVER w - debt_change AS d
            FROM ledger.entry WINDOW w AS (PARTITION BY member_id ORDER BY seq)
        ) chain
        WHERE step <> 1 OR a <> 0 OR h <> 0 OR d <> 0
        """,
    ),
    Invariant(
        "I4",
        "every bucket is the sum of its flows",
        f"""
        WITH flow AS (
            SELECT member_id, key, sum(moved)::int AS amount
            FROM ({_FLOWS}) f GROUP BY member_id, key
        ), bucket AS (
            SELECT member_id, u.key::int AS key, u.amount
            FROM ledger.account, unnest(bucket_keys, bucket_left) u (key, amount)
        )
        SELECT member_id, key
        FROM (SELECT * FROM flow WHERE amount <> 0) f FULL JOIN bucket b USING (member_id, key)
        WHERE f.amount IS DISTINCT FROM b.amount
        """,  # noqa: S608
    ),
    Invariant(
        "I5",
        "buckets are sorted, distinct and above zero",
        """
        SELECT member_id FROM ledger.account
        WHERE 0 >= ANY (bucket_left)
           OR cardinality(bucket_keys) <> cardinality(bucket_left)
           OR bucket_keys <> (
               SELECT coalesce(array_agg(DISTINCT key ORDER BY key), '{}')
               FROM unnest(bucket_keys) key
           )
        """,
    ),
    Invariant(
        "I6",
        "what the seals rolled up on each counter account is what the journal moved",
        """
        SELECT counter, kind, r.amount, e.amount
        FROM (
            SELECT counter, kind, sum(amount) AS amount, sum(entry_count) AS n
            FROM ledger.rollup GROUP BY counter, kind
        ) r
        FULL JOIN (
            SELECT counter, kind, -sum(available_change + held_change - debt_change) AS amount,
                   count(*) AS n
            FROM ledger.entry WHERE txid < (SELECT max(tx_hi) FROM ledger.seal)
            GROUP BY counter, kind
        ) e USING (counter, kind)
        WHERE (r.amount, r.n) IS DISTINCT FROM (e.amount, e.n)
        """,
    ),
    Invariant(
        "I7",
        "an operation is posted once",
        """
        SELECT member_id, op_id FROM ledger.entry GROUP BY member_id, op_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        "I8",
        "every entry says which buckets it moved, to the credit",
        """
        SELECT member_id, op_id FROM ledger.entry
        WHERE abs(available_change) <> (
            SELECT coalesce(sum(alloc[i]), 0) FROM generate_series(2, cardinality(alloc), 2) i
        )
        """,
    ),
    Invariant(
        "I9",
        "credits that end soonest are spent first",
        f"""
        WITH flow AS ({_FLOWS}), bucket AS (
            SELECT member_id, key, seq, sum(moved) OVER w AS amount, lead(seq) OVER w AS next_seq
            FROM flow WINDOW w AS (PARTITION BY member_id, key ORDER BY seq)
        )
        SELECT s.member_id, s.op_id
        FROM ledger.entry s
        CROSS JOIN LATERAL (
            SELECT max(s.alloc[i]) AS last_key FROM generate_series(1, cardinality(s.alloc), 2) i
        ) m
        JOIN bucket b ON b.member_id = s.member_id AND b.seq <= s.seq
            AND (b.next_seq IS NULL OR b.next_seq > s.seq)
            AND b.key < m.last_key AND b.key >= ledger.month_number(s.day) * 2 AND b.amount > 0
        WHERE s.kind IN (2, 3)
        """,  # noqa: S608
    ),
    Invariant(
        "I10",
        "nothing is spent after it lapsed",
        """
        SELECT DISTINCT member_id, op_id
        FROM ledger.entry, generate_series(1, cardinality(alloc), 2) i
        WHERE kind IN (2, 3) AND alloc[i] < ledger.month_number(day) * 2
        """,
    ),
    Invariant(
        "I11",
        "lapsed credits are settled within two days",
        """
        SELECT a.member_id FROM ledger.account a JOIN ledger.zone_day z USING (zone)
        WHERE a.bucket_keys[1] < ledger.month_number(ledger.today(z.zone) - 2) * 2
        """,
        is_liveness=True,
    ),
    Invariant(
        "I12",
        "nothing lapses early",
        """
        SELECT DISTINCT member_id, op_id
        FROM ledger.entry, generate_series(1, cardinality(alloc), 2) i
        WHERE kind = 7 AND alloc[i] >= ledger.month_number(day) * 2
        """,
    ),
    Invariant(
        "I13",
        "what is held is the sum of open holds",
        """
        SELECT member_id FROM ledger.account
        FULL JOIN (
            SELECT member_id, sum(amount) AS s FROM ledger.hold WHERE state = 0 GROUP BY member_id
        ) h USING (member_id)
        WHERE coalesce(held, 0) <> coalesce(s, 0)
        """,
    ),
    Invariant(
        "I14",
        "a hold is resolved exactly once",
        """
        SELECT h.member_id, h.op_id
        FROM ledger.hold h
        LEFT JOIN ledger.entry e
            ON e.member_id = h.member_id AND e.orig_op = h.op_id AND e.kind IN (4, 5)
        GROUP BY h.member_id, h.op_id, h.state
        HAVING count(e.op_id) <> CASE WHEN h.state = 0 THEN 0 ELSE 1 END
        """,
    ),
    Invariant(
        "I15",
        "no hold outlives its time by ten minutes",
        """
        SELECT member_id, op_id FROM ledger.hold
        WHERE state = 0 AND expires_at < zone_now() - interval '10 minutes'
        """,
        is_liveness=True,
    ),
    Invariant(
        "I24",
        "nothing is refunded, taken back or undone beyond its original",
        """
        SELECT o.member_id, o.op_id
        FROM ledger.entry o
        JOIN ledger.entry r ON r.member_id = o.member_id AND r.orig_op = o.op_id
            AND (
                (r.kind = 6 AND o.kind IN (2, 4)) OR (r.kind = 8 AND o.kind = 1)
                OR (r.kind = 9 AND o.kind = 9)
            )
        GROUP BY o.member_id, o.op_id, o.kind, o.available_change, o.held_change, o.debt_change
        HAVING sum(abs(r.available_change - r.debt_change))
             > abs(ledger.amount_of(o.kind, o.available_change, o.held_change, o.debt_change))
        """,
    ),
    Invariant(
        "I25",
        "every sealed block follows the one before it",
        """
        SELECT block FROM (
            SELECT block, tx_lo, prev_root, lag(block, 1, 0::bigint) OVER w AS block_before,
                   lag(tx_hi, 1, 0::bigint) OVER w AS tx_before,
                   lag(root, 1, decode(repeat('00', 32), 'hex')) OVER w AS root_before
            FROM ledger.seal WINDOW w AS (ORDER BY block)
        ) chain
        WHERE (block, tx_lo, prev_root) IS DISTINCT FROM (block_before + 1, tx_before, root_before)
        """,
    ),
    Invariant(
        "I26",
        "every sealed block holds as many entries, moving as much, as when it was sealed",
        f"""
        SELECT block
        FROM ledger.seal s
        FULL JOIN (
            SELECT block, count(*) AS n, sum(a) AS a, sum(h) AS h, sum(d) AS d
            FROM ({_SEALED}) e GROUP BY block
        ) e USING (block)
        WHERE (s.entry_count, s.available_sum, s.held_sum, s.debt_sum)
            IS DISTINCT FROM (e.n, e.a, e.h, e.d)
        """,  # noqa: S608
    ),
    Invariant(
        "I26r",
        "every sealed row is as it was sealed, and every root follows from its rows",
        f"""
        WITH sealed AS (
            SELECT block, u.member_id, u.op_id, u.leaf
            FROM ledger.seal_leaf, unnest(members, ops, leaves) u (member_id, op_id, leaf)
        ), live AS (
            SELECT block, member_id, op_id, leaf FROM ({_SEALED}) e
        )
        SELECT block, member_id, op_id,
               CASE WHEN live.leaf IS NULL THEN 'removed'
                    WHEN sealed.leaf IS NULL THEN 'added' ELSE 'changed' END
        FROM sealed FULL JOIN live USING (block, member_id, op_id)
        WHERE sealed.leaf IS DISTINCT FROM live.leaf
        UNION ALL
        SELECT s.block, NULL, NULL, 'rewritten'
        FROM ledger.seal s LEFT JOIN ledger.seal_leaf l USING (block)
        WHERE s.root IS DISTINCT FROM ledger.seal_root(s, ledger.tree_root(l.leaves))
        """,  # noqa: S608
    ),
    Invariant(
        "I27",
        "the journal is append-only by right: no grant to change it, every guard in force",
        """
        SELECT c.relname::text, g.grantee::regrole::text, g.privilege_type
        FROM pg_class c, aclexplode(c.relacl) g
        WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p')
          AND g.privilege_type <> 'SELECT' AND g.grantee <> c.relowner
        UNION ALL
        SELECT t.relname::text, '', guard
        FROM (
            SELECT oid, relname FROM pg_class
            WHERE oid IN ('ledger.entry'::regclass, 'ledger.seal'::regclass,
                          'ledger.seal_leaf'::regclass, 'ledger.rollup'::regclass,
                          'ledger.anchor'::regclass,
                          'ledger.status_event'::regclass)
               OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'ledger.entry'::regclass)
        ) t CROSS JOIN unnest(ARRAY['guard_change', 'guard_truncate']) guard
        WHERE NOT EXISTS (
            SELECT FROM pg_trigger WHERE tgrelid = t.oid AND tgname = guard AND tgenabled = 'A'
        )
        """,
    ),
    Invariant(
        "I27r",
        "this session's role cannot rewrite the journal (else: append-only is not enforced)",
        """
        SELECT current_user::text, 'not enforced'
        WHERE has_table_privilege('ledger.entry', 'UPDATE')
           OR has_table_privilege('ledger.account', 'UPDATE')
        """,
        is_liveness=True,
    ),
    Invariant(
        "I28",
        "the journal is append-only by physics: no row was ever changed or deleted",
        """
        SELECT relname::text, n_tup_upd + n_tup_del FROM pg_stat_user_tables
        WHERE schemaname = 'ledger' AND relname LIKE 'entry%' AND n_tup_upd + n_tup_del > 0
        """,
        is_liveness=True,
    ),
    Invariant(
        "I29",
        "nothing is posted before its operation id was made, and no day goes back",
        """
        SELECT member_id, op_id FROM (
            SELECT member_id, op_id, posted_at, day,
                   lag(day) OVER (PARTITION BY member_id ORDER BY seq) AS day_before
            FROM ledger.entry
        ) e
        WHERE posted_at < ledger.instant_of(op_id) - interval '10 minutes' OR day < day_before
        """,
    ),
    Invariant(
        "I30",
        "updates of accounts stay in their page, and nothing holds old snapshots",
        """
        SELECT 'hot updates', n_tup_hot_upd, n_tup_upd FROM pg_stat_user_tables
        WHERE schemaname = 'ledger' AND relname = 'account'
          AND n_tup_upd > 1000 AND n_tup_hot_upd < 0.9 * n_tup_upd
        UNION ALL
        SELECT 'old snapshot', pid, age(backend_xmin) FROM pg_stat_activity
        WHERE age(backend_xmin) > 100000 AND xact_start < now() - interval '60 s'
        """,
        is_liveness=True,
    ),
    Invariant(
        "I35",
        "a promise is earned once, at what was left of it, and not before it matured",
        """
        SELECT p.member_id, p.op_id
        FROM ledger.pending_earn p
        LEFT JOIN ledger.entry e USING (member_id, op_id)
        WHERE (p.state = 1) <> (e.op_id IS NOT NULL)
           OR (p.state = 1 AND e.available_change - e.debt_change <> p.amount - p.taken)
           OR (p.state = 2 AND p.taken < p.amount AND e.op_id IS NOT NULL)
        """,
    ),
    Invariant(
        "I36",
        "what credits paid for earned no credits",
        """
        SELECT earned.member_id, earned.op_id
        FROM ledger.entry earned
        JOIN ledger.entry paid USING (member_id, related)
        WHERE earned.kind = 1 AND starts_with(earned.related, 'clm_') AND paid.kind IN (2, 3)
        """,
    ),
    *STANDING_INVARIANTS,
    *KEPT_INVARIANTS,
]
