-- Settle up to `p_limit` month ends that have passed (one per member and month); says how many.
--
-- Safe to kill, to repeat and to run twice at once: members another transaction holds are left for
-- the next call. Old values come from the locking SELECT: a second look at the table within this
-- statement would see the snapshot from before the wait. Lapsed credits are already dead to every
-- verb; this only settles the books.
CREATE OR REPLACE FUNCTION ledger.expire_batch(p_limit int DEFAULT 1000) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    v_now timestamptz := public.zone_now();
    -- The part of every new operation id that says when: see `op_at`.
    v_when text := left(translate(ledger.first_op(v_now)::text, '-', ''), 12);
    v_count int;
BEGIN
    PERFORM ledger.make_partitions(
        (v_now AT TIME ZONE 'UTC')::date, (v_now AT TIME ZONE 'UTC')::date
    ) WHERE ledger.first_op(v_now) >= (SELECT last_op FROM ledger.partition_span());
    PERFORM ledger.advance_day(zone, (v_now AT TIME ZONE name)::date)
    FROM ledger.zone_day WHERE day < (v_now AT TIME ZONE name)::date;

    WITH queue AS MATERIALIZED (
        SELECT d.zone, d.month, d.member_id, z.day, z.floor
        FROM ledger.zone_day z
        CROSS JOIN LATERAL (
            SELECT q.zone, q.month, q.member_id FROM ledger.lot_due q
            WHERE q.zone = z.zone AND q.month * 2 < z.floor
            ORDER BY q.zone, q.month, q.member_id
            LIMIT p_limit
        ) d
        LIMIT p_limit
    ), due AS MATERIALIZED (
        SELECT a.member_id, a.seq, a.available, a.held, a.debt, a.bucket_keys, a.bucket_left,
               m.day, m.floor
        FROM ledger.account a
        JOIN (SELECT DISTINCT member_id, day, floor FROM queue) m ON m.member_id = a.member_id
        ORDER BY a.member_id
        FOR NO KEY UPDATE OF a SKIP LOCKED
    ), cut AS MATERIALIZED (
        SELECT d.member_id, d.seq, d.available, d.held, d.debt, d.day, d.floor, l.*
        FROM due d CROSS JOIN LATERAL ledger.lapse(d.bucket_keys, d.bucket_left, d.floor) l
        WHERE d.bucket_keys[1] < d.floor
    ), settled AS (
        DELETE FROM ledger.lot_due q USING queue, due
        WHERE q.zone = queue.zone AND q.month = queue.month AND q.member_id = queue.member_id
          AND due.member_id = queue.member_id
        RETURNING 1
    ), moved AS (
        UPDATE ledger.account a
        SET bucket_keys = cut.keys, seq = cut.seq + 1, available = cut.available - cut.total,
            bucket_left = cut.remains
        FROM cut WHERE a.member_id = cut.member_id
    ), written AS (
        INSERT INTO ledger.entry (
            member_id, op_id, posted_at, seq,
            available_change, held_change, debt_change, available_after, held_after, debt_after,
            day, kind, counter, alloc, reason
        )
        SELECT member_id,
               (v_when || '7' || substr(bits, 1, 3) || 'a' || substr(bits, 4, 15))::uuid, v_now,
               seq + 1, -total, 0, 0, available - total, held, debt, day, 7, 90, alloc, 'lapsed'
        FROM (
            SELECT *, md5(member_id::text || floor::text || seq::text) AS bits FROM cut OFFSET 0
        ) named
    )
    SELECT count(*) INTO v_count FROM settled;
    RETURN v_count;
END
$$;
