-- Settle up to `p_limit` month ends that have passed (one per member and month); says how many.
--
-- Safe to kill, to repeat and to run twice at once: members another transaction holds are left for
-- the next call. Old values come from the locking SELECT: a second look at the table within this
-- statement would see the snapshot from before the wait. Lapsed credits are already dead to every
-- verb; this only settles the books.
CREATE OR REPLACE FUNCTION ledger.expire_batch(p_limit int DEFAULT 1000) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s'
-- A thousand rows are looked up one by one, also where the whole table looks short enough to read.
-- Before PostgreSQL 18 a forbidden scan looks so dear that the statement would be compiled each time.
SET enable_seqscan = off SET random_page_cost = 1.1 SET jit = off AS $$
DECLARE
    v_now timestamptz := public.zone_now();
    -- The part of every new operation id that says when: see `op_at`.
    v_when text := left(translate(ledger.first_op(v_now)::text, '-', ''), 12);
    v_count int;
BEGIN
    PERFORM ledger.make_partitions(
        (v_now AT TIME ZONE 'UTC')::date, (v_now AT TIME ZONE 'UTC')::date
    ) WHERE EXISTS (SELECT FROM ledger.zone_day WHERE last_op <= ledger.first_op(v_now));
    PERFORM ledger.advance_day(zone, (v_now AT TIME ZONE name)::date)
    FROM ledger.zone_day WHERE day < (v_now AT TIME ZONE name)::date;

    WITH queue AS MATERIALIZED (
        SELECT d.zone, d.month, d.member_id, d.place, z.day, z.floor
        FROM ledger.zone_day z
        CROSS JOIN LATERAL (
            SELECT q.zone, q.month, q.member_id, q.ctid AS place FROM ledger.lot_due q
            WHERE q.zone = z.zone AND q.month < z.floor / 2
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
        -- Nearly everybody has one bucket that lapsed: the others take the way of the verbs.
        SELECT d.member_id, d.seq + 1 AS seq, d.available - d.bucket_left[1] AS available, d.held,
               d.debt, d.day, d.bucket_keys[2:] AS keys, d.bucket_left[2:] AS remains,
               d.bucket_left[1] AS total, ARRAY[d.bucket_keys[1]::int, d.bucket_left[1]] AS alloc
        FROM due d
        WHERE d.bucket_keys[1] < d.floor AND coalesce(d.bucket_keys[2], d.floor) >= d.floor
        UNION ALL
        SELECT d.member_id, d.seq + 1, d.available - l.total, d.held, d.debt, d.day, l.keys,
               l.remains, l.total, l.alloc
        FROM due d CROSS JOIN LATERAL ledger.lapse(d.bucket_keys, d.bucket_left, d.floor) l
        WHERE d.bucket_keys[2] < d.floor
    ), settled AS (
        -- By place: a row that this statement sees stays where it is until the statement ends.
        DELETE FROM ledger.lot_due q USING queue
        WHERE q.ctid = queue.place AND queue.member_id IN (SELECT member_id FROM due)
        RETURNING 1
    ), moved AS (
        UPDATE ledger.account a
        SET bucket_keys = cut.keys, seq = cut.seq, available = cut.available,
            bucket_left = cut.remains
        FROM cut WHERE a.member_id = cut.member_id
    ), written AS (
        -- An operation id says when, and then whose entry it is and its number.
        INSERT INTO ledger.entry (
            member_id, op_id, posted_at, seq,
            available_change, held_change, debt_change, available_after, held_after, debt_after,
            day, kind, counter, alloc, reason
        )
        SELECT member_id,
               (v_when || to_hex((seq & 4095) | 28672) || to_hex(
                   (member_id & 1152921504606846975) | -6917529027641081856))::uuid,
               v_now, seq, -total, 0, 0, available, held, debt, day, 7, 90, alloc, 'lapsed'
        FROM cut
    )
    SELECT count(*) INTO v_count FROM settled;
    RETURN v_count;
END
$$;
