-- Allocations of several earns, one after the other.
CREATE OR REPLACE AGGREGATE ledger.joined(int[]) (SFUNC = array_cat, STYPE = int[], INITCOND = '{}');

-- Many earns in one call, one answer per earn by its place in the arrays (from 1).
--
-- Each earn is refused or posted as `credit` would, one member's earns in the order they came in. What
-- is owed (`p_is_owed`: credits for a purchase made) is posted to frozen accounts too.
--
-- Accounts are locked in rising order over the whole batch, so that two batches cannot deadlock. One
-- short statement then takes the members with one plain earn: an operation that was not posted yet, an
-- account without debt and lapsed buckets, a bucket that is there or comes last. The rest goes to
-- `earn_rest`.
CREATE OR REPLACE FUNCTION ledger.earn_batch(
    p_members bigint[], p_ops uuid[], p_amounts int[], p_untils date[], p_fundings smallint[],
    p_counters smallint[], p_reasons text[], p_relateds text[], p_occurred_ats timestamptz[],
    p_posted_ats timestamptz[], p_is_owed boolean DEFAULT false
) RETURNS TABLE (
    place int, code text, op_id uuid, amount int, available int, held int, debt int, seq int,
    expires_on date, posted_at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s'
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    v_repeated bigint[] := ledger.lock_accounts(p_members, p_ops);
    v_at timestamptz := public.zone_now(); -- After the locks: nobody posted later before.
    v_end uuid := ledger.first_op(v_at + interval '10 minutes');
    v_waits boolean[] := array_fill(true, ARRAY[cardinality(p_members)]);
    v_left int := cardinality(p_members);
    r ledger.result;
BEGIN
    FOR place, code, op_id, amount, available, held, debt, seq, expires_on, posted_at IN
        WITH moved AS (
            UPDATE ledger.account a
            SET seq = a.seq + 1, available = a.available + u.amount,
                last_op = greatest(a.last_op, u.op),
                bucket_keys[
                    coalesce(array_position(a.bucket_keys, k.key), cardinality(a.bucket_keys) + 1)
                ] = k.key,
                bucket_left[
                    coalesce(array_position(a.bucket_keys, k.key), cardinality(a.bucket_keys) + 1)
                ] = coalesce(a.bucket_left[array_position(a.bucket_keys, k.key)], 0) + u.amount
            FROM unnest(
                p_members, p_ops, p_amounts, p_untils, p_fundings, p_counters, p_reasons, p_relateds,
                p_occurred_ats, p_posted_ats
            ) WITH ORDINALITY u (
                member, op, amount, until, funding, counter, reason, related, occurred_at, posted_at,
                place
            )
            CROSS JOIN ledger.zone_day z
            CROSS JOIN LATERAL (
                SELECT (
                    coalesce(ledger.month_number(u.until) * 2, z.floor + 24) + u.funding
                )::smallint AS key
            ) k
            WHERE a.member_id = u.member AND z.zone = a.zone AND u.member <> ALL (v_repeated)
              AND u.amount > 0 AND u.funding IN (0, 1) AND u.posted_at IS NULL
              AND a.debt = 0 AND a.available + a.held <= 2147483647 - u.amount
              AND coalesce(a.bucket_keys[1], z.floor) >= z.floor AND v_at < z.ends_at
              AND k.key BETWEEN z.floor AND z.floor + 121
              AND (
                  k.key = ANY (a.bucket_keys)
                  OR cardinality(a.bucket_keys) < 40
                  AND k.key > coalesce(a.bucket_keys[cardinality(a.bucket_keys)], 0)
              )
              AND z.first_op <= u.op AND u.op < z.last_op AND u.op < v_end
              AND (a.status = 0 OR a.status = 1 AND p_is_owed)
              AND (a.last_op < u.op OR NOT ledger.is_posted(u.member, u.op))
            RETURNING u.place, u.member, u.op, u.amount, u.counter, u.reason, u.related,
                      u.occurred_at, a.seq, a.available, a.held, k.key::int AS key, z.day, z.zone,
                      a.bucket_left[array_position(a.bucket_keys, k.key)] = u.amount AS is_opened
        ), written AS (
            INSERT INTO ledger.entry (
                member_id, op_id, posted_at, occurred_at, seq, available_change, held_change,
                debt_change, available_after, held_after, debt_after, day, kind, counter, alloc,
                reason, related
            )
            SELECT m.member, m.op, v_at, m.occurred_at, m.seq, m.amount, 0, 0, m.available, m.held,
                   0, m.day, 1, m.counter, ARRAY[m.key, m.amount], coalesce(m.reason, ''),
                   coalesce(m.related, '')
            FROM moved m
        ), opened AS (
            INSERT INTO ledger.lot_due (zone, month, member_id)
            SELECT m.zone, m.key / 2, m.member FROM moved m WHERE m.is_opened ORDER BY 1, 2, 3
            ON CONFLICT DO NOTHING
        )
        SELECT m.place::int, 'ok', m.op, m.amount, m.available, m.held, 0, m.seq,
               ledger.expires_on(m.key), v_at
        FROM moved m
    LOOP
        v_waits[place] := false;
        v_left := v_left - 1;
        RETURN NEXT;
    END LOOP;
    IF v_left = 0 THEN
        RETURN;
    END IF;
    -- The long statement costs as much as a few long roads.
    FOR place, code, op_id, amount, available, held, debt, seq, expires_on, posted_at IN
        SELECT * FROM ledger.earn_rest(
            p_members, p_ops, p_amounts, p_untils, p_fundings, p_counters, p_reasons, p_relateds,
            p_occurred_ats, p_posted_ats, p_is_owed, v_waits
        ) WHERE v_left > 8
        UNION ALL
        SELECT n, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        FROM generate_subscripts(v_waits, 1) n WHERE v_waits[n] AND v_left <= 8
    LOOP
        IF code IS NULL THEN
            r := ledger.credit(
                1, p_members[place], p_ops[place], p_amounts[place], p_untils[place],
                p_fundings[place], p_counters[place], p_reasons[place], p_relateds[place],
                p_occurred_ats[place], p_posted_ats[place], p_is_owed
            );
            code := r.code;
            op_id := r.op_id;
            amount := r.amount;
            available := r.available;
            held := r.held;
            debt := r.debt;
            seq := r.seq;
            expires_on := r.expires_on;
            posted_at := r.posted_at;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;

-- Whether a member has an entry of this operation; exact while the account is locked.
CREATE OR REPLACE FUNCTION ledger.is_posted(p_member bigint, p_op uuid) RETURNS boolean
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN EXISTS (SELECT FROM ledger.entry WHERE member_id = p_member AND op_id = p_op);
END
$$;

-- Open and lock the accounts of a batch, and answer the members who are in it more than once.
--
-- Missing months come first (see `is_good_op`), then missing accounts, then the locks, each in rising
-- order: nobody who holds a row waits for one before it.
CREATE OR REPLACE FUNCTION ledger.lock_accounts(p_members bigint[], p_ops uuid[]) RETURNS bigint[]
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_repeated bigint[] := '{}';
BEGIN
    PERFORM ledger.make_partitions(
        (min(odd.at) AT TIME ZONE 'UTC')::date, (max(odd.at) AT TIME ZONE 'UTC')::date
    )
    FROM (
        SELECT ledger.instant_of(asked.op) AS at FROM unnest(p_ops) asked (op)
        WHERE asked.op < (SELECT first_op FROM ledger.zone_day ORDER BY first_op DESC LIMIT 1)
           OR asked.op >= (SELECT last_op FROM ledger.zone_day ORDER BY last_op LIMIT 1)
    ) odd
    WHERE odd.at BETWEEN public.zone_now() - interval '36 months'
                     AND public.zone_now() + interval '1 day'
    HAVING count(*) > 0;
    IF (SELECT count(*) FROM ledger.account a WHERE a.member_id = ANY (p_members))
        < cardinality(p_members)
    THEN
        v_repeated := array(SELECT m FROM unnest(p_members) m GROUP BY m HAVING count(*) > 1);
        PERFORM ledger.open_account(missing.member) FROM (
            SELECT DISTINCT m.member FROM unnest(p_members) m (member)
            WHERE NOT EXISTS (SELECT FROM ledger.account a WHERE a.member_id = m.member)
            ORDER BY m.member
        ) missing;
    END IF;
    PERFORM FROM ledger.account a WHERE a.member_id = ANY (p_members)
    ORDER BY a.member_id FOR NO KEY UPDATE;
    RETURN v_repeated;
END
$$;

-- The earns of a batch that still wait (`p_waits`, by place), their accounts being locked.
--
-- One statement takes the members all of whose earns are plain: rising new operations, an account
-- without debt and lapsed buckets, nothing to refuse. The code of the others is null: they go the
-- long road, one by one.
CREATE OR REPLACE FUNCTION ledger.earn_rest(
    p_members bigint[], p_ops uuid[], p_amounts int[], p_untils date[], p_fundings smallint[],
    p_counters smallint[], p_reasons text[], p_relateds text[], p_occurred_ats timestamptz[],
    p_posted_ats timestamptz[], p_is_owed boolean, p_waits boolean[]
) RETURNS TABLE (
    place int, code text, op_id uuid, amount int, available int, held int, debt int, seq int,
    expires_on date, posted_at timestamptz
)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        WITH standing AS MATERIALIZED (
            SELECT a.member_id, a.status, a.seq, a.available, a.held, a.debt, a.last_op,
                   a.bucket_keys, a.bucket_left, z.zone, z.day, z.floor, z.ends_at, z.first_op,
                   z.last_op AS end_op
            FROM ledger.account a JOIN ledger.zone_day z ON z.zone = a.zone
            WHERE a.member_id = ANY (p_members)
        ), clock AS MATERIALIZED (
            SELECT public.zone_now() AS at,
                   ledger.first_op(public.zone_now() + interval '10 minutes') AS op
        ), asked AS MATERIALIZED (
            SELECT u.*, s.floor, s.seq, s.last_op,
                   coalesce(ledger.month_number(u.until), s.floor / 2 + 12) * 2 + u.funding AS key,
                   s.debt = 0 AND coalesce(s.bucket_keys[1], s.floor) >= s.floor
                   AND clock.at < s.ends_at AND (s.status = 0 OR s.status = 1 AND p_is_owed)
                   AND u.posted_at IS NULL AND u.op >= s.first_op AND u.op < s.end_op
                   AND u.op < clock.op AND u.amount > 0 AND u.funding IN (0, 1) AS is_plain
            FROM unnest(
                p_members, p_ops, p_amounts, p_untils, p_fundings, p_counters, p_reasons, p_relateds,
                p_occurred_ats, p_posted_ats
            ) WITH ORDINALITY u (
                member, op, amount, until, funding, counter, reason, related, occurred_at, posted_at,
                place
            )
            CROSS JOIN clock
            LEFT JOIN standing s ON s.member_id = u.member
            WHERE p_waits[u.place]
        ), counted AS MATERIALIZED (
            SELECT k.*, row_number() OVER earlier AS nth, sum(k.amount) OVER earlier AS total,
                   k.is_plain AND k.key BETWEEN k.floor AND k.floor + 121
                   AND k.op > lag(k.op, 1, k.last_op) OVER earlier AS is_plain_so_far
            FROM asked k WINDOW earlier AS (PARTITION BY k.member ORDER BY k.place)
        ), summed AS MATERIALIZED (
            SELECT c.member, count(*) AS number, sum(c.amount) AS total,
                   ledger.joined(ARRAY[c.key, c.amount]) AS alloc,
                   (array_agg(c.op ORDER BY c.place DESC))[1] AS last_op
            FROM counted c GROUP BY c.member
            HAVING bool_and(coalesce(c.is_plain_so_far, false))
        ), plain AS MATERIALIZED (
            SELECT m.member, m.last_op, m.number, m.total, s.zone, s.day, s.seq, s.available, s.held,
                   s.bucket_keys AS old_keys, p.keys, p.remains
            FROM summed m JOIN standing s ON s.member_id = m.member
            CROSS JOIN LATERAL ledger.put(s.bucket_keys, s.bucket_left, m.alloc) p
            WHERE s.available + s.held + m.total <= 2147483647 AND cardinality(p.keys) <= 40
        ), moved AS (
            UPDATE ledger.account a
            SET seq = p.seq + p.number, available = p.available + p.total, last_op = p.last_op,
                bucket_keys = p.keys, bucket_left = p.remains
            FROM plain p WHERE a.member_id = p.member
        ), written AS (
            INSERT INTO ledger.entry (
                member_id, op_id, posted_at, occurred_at, seq, available_change, held_change,
                debt_change, available_after, held_after, debt_after, day, kind, counter, alloc,
                reason, related
            )
            SELECT c.member, c.op, clock.at, c.occurred_at, p.seq + c.nth, c.amount, 0, 0,
                   p.available + c.total, p.held, 0, p.day, 1, c.counter, ARRAY[c.key, c.amount],
                   coalesce(c.reason, ''), coalesce(c.related, '')
            FROM counted c JOIN plain p ON p.member = c.member CROSS JOIN clock
        ), opened AS (
            INSERT INTO ledger.lot_due (zone, month, member_id)
            SELECT DISTINCT p.zone, c.key / 2, c.member
            FROM counted c JOIN plain p ON p.member = c.member
            WHERE c.key <> ALL (p.old_keys)
            ORDER BY 1, 2, 3
            ON CONFLICT DO NOTHING
        )
        SELECT c.place::int, CASE WHEN p.member IS NOT NULL THEN 'ok' END, c.op, c.amount,
               (p.available + c.total)::int, p.held, 0, (p.seq + c.nth)::int,
               ledger.expires_on(c.key), clock.at
        FROM counted c CROSS JOIN clock LEFT JOIN plain p ON p.member = c.member
        ORDER BY c.member, c.place;
END
$$;
