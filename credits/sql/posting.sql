-- What every verb is made of: find the member's standing, see whether the operation was posted
-- before, and post one entry (with the expiry of lapsed buckets beside it).
--
-- A verb reads without a lock, decides, and writes by compare-and-swap on `seq`; when somebody was
-- faster it starts again holding the row. A refusal or a replay therefore writes nothing at all.

CREATE TYPE ledger.standing AS (
    member_id bigint,
    zone smallint,
    status smallint,
    seq int,
    available int,
    held int,
    debt int,
    keys smallint[],
    remains int[],
    day date,
    floor int,
    posted_at timestamptz,
    is_new_day boolean,
    first_op uuid,
    last_op uuid,
    newest_op uuid
);

-- A member's standing and the day in force for them; null when there is no account.
--
-- The day is the market's local date by the database's clock, never below the highest day used.
-- With `p_posted_at` the entry is a late record of the past (an import of history): the day is the
-- local date of that instant.
CREATE FUNCTION ledger.find(p_member bigint, p_posted_at timestamptz, p_is_locked boolean)
RETURNS ledger.standing LANGUAGE plpgsql AS $$
DECLARE
    s ledger.standing;
    v_name text;
    v_day date;
BEGIN
    IF p_is_locked THEN
        SELECT a.zone, a.status, a.seq, a.available, a.held, a.debt, a.bucket_keys, a.bucket_left,
               a.last_op, z.name, z.day, z.floor, z.first_op, z.last_op
        INTO s.zone, s.status, s.seq, s.available, s.held, s.debt, s.keys, s.remains,
             s.newest_op, v_name, s.day, s.floor, s.first_op, s.last_op
        FROM ledger.account a JOIN ledger.zone_day z ON z.zone = a.zone
        WHERE a.member_id = p_member
        FOR NO KEY UPDATE OF a;
    ELSE
        SELECT a.zone, a.status, a.seq, a.available, a.held, a.debt, a.bucket_keys, a.bucket_left,
               a.last_op, z.name, z.day, z.floor, z.first_op, z.last_op
        INTO s.zone, s.status, s.seq, s.available, s.held, s.debt, s.keys, s.remains,
             s.newest_op, v_name, s.day, s.floor, s.first_op, s.last_op
        FROM ledger.account a JOIN ledger.zone_day z ON z.zone = a.zone
        WHERE a.member_id = p_member;
    END IF;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    s.member_id := p_member;
    s.posted_at := coalesce(p_posted_at, public.zone_now());
    s.is_new_day := false;
    v_day := s.posted_at AT TIME ZONE v_name;
    IF v_day > s.day OR p_posted_at IS NOT NULL THEN
        s.is_new_day := p_posted_at IS NULL;
        s.day := v_day;
        s.floor := ledger.month_number(v_day) * 2;
    END IF;
    RETURN s;
END
$$;

-- A refusal: the reason, and where the member stands. Lapsed credits are not available.
CREATE FUNCTION ledger.refuse(s ledger.standing, p_op uuid, p_amount int, p_code text)
RETURNS ledger.result LANGUAGE plpgsql AS $$
DECLARE
    r ledger.result;
BEGIN
    r.code := p_code;
    r.op_id := p_op;
    r.amount := p_amount;
    r.available := s.available;
    r.held := s.held;
    r.debt := s.debt;
    r.seq := s.seq;
    IF s.keys[1] < s.floor THEN
        r.available := s.available - (ledger.lapse(s.keys, s.remains, s.floor)).total;
    END IF;
    RETURN r;
END
$$;

-- What an operation did when it was posted before; `code` is null when it never was, 'conflict'
-- when it was something else. Compared are kind, amount, counter, original and related id.
CREATE FUNCTION ledger.replay(
    p_member bigint, p_op uuid, p_kind int, p_amount int, p_counter int, p_orig uuid, p_related text
) RETURNS ledger.result LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    r ledger.result;
    e record;
    v_next record;
BEGIN
    SELECT kind, counter, orig_op, related, available_change, held_change, debt_change,
           available_after, held_after, debt_after, seq, alloc, posted_at
    INTO e
    FROM ledger.entry WHERE member_id = p_member AND op_id = p_op;
    IF NOT FOUND THEN
        RETURN r;
    END IF;
    r.op_id := p_op;
    r.amount := ledger.amount_of(e.kind, e.available_change, e.held_change, e.debt_change);
    r.available := e.available_after;
    r.held := e.held_after;
    r.debt := e.debt_after;
    r.seq := e.seq;
    r.posted_at := e.posted_at;
    -- Credits that came back into a lapsed bucket expired in an entry of their own right after.
    SELECT n.seq, n.available_after INTO v_next
    FROM ledger.entry n
    WHERE n.member_id = p_member
      AND n.op_id = ledger.op_at(e.posted_at, p_op::text || 'expire') AND n.seq > e.seq;
    IF FOUND THEN
        r.seq := v_next.seq;
        r.available := v_next.available_after;
    END IF;
    IF e.kind IN (1, 9) THEN
        r.expires_on := ledger.expires_on(e.alloc[1]);
    END IF;
    r.code := CASE
        WHEN e.kind = p_kind AND r.amount = p_amount
             AND (p_counter IS NULL OR e.counter = p_counter)
             AND e.orig_op IS NOT DISTINCT FROM p_orig
             AND (p_related IS NULL OR e.related = p_related)
        THEN 'replayed' ELSE 'conflict'
    END;
    RETURN r;
END
$$;

-- The amount of an entry as its verb was asked for it; a downward adjustment is negative.
CREATE FUNCTION ledger.amount_of(p_kind int, p_available int, p_held int, p_debt int)
RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN p_kind = 4 THEN p_debt - p_available - p_held
    WHEN p_kind = 9 THEN p_available - p_debt
    ELSE abs(p_available - p_debt)
END;

-- Post one entry and the expiry of lapsed buckets; `code` is null when somebody was faster.
--
-- The account row moves first: whoever loses the swap has inserted nothing.
CREATE FUNCTION ledger.post(
    s ledger.standing,
    p_keys smallint[], p_remains int[],
    p_kind int, p_op uuid, p_available int, p_held int, p_debt int, p_alloc int[],
    p_counter int, p_orig uuid, p_reason text, p_related text, p_occurred_at timestamptz,
    p_lapsed ledger.purse, p_lapses_first boolean
) RETURNS ledger.result LANGUAGE plpgsql AS $$
DECLARE
    r ledger.result;
    v_lapsed int := coalesce(p_lapsed.total, 0);
BEGIN
    r.seq := s.seq + 1;
    r.available := s.available + p_available;
    r.held := s.held + p_held;
    r.debt := s.debt + p_debt;
    UPDATE ledger.account
    SET bucket_keys = p_keys, debt = r.debt, held = r.held,
        seq = CASE WHEN v_lapsed > 0 THEN r.seq + 1 ELSE r.seq END,
        available = r.available - v_lapsed, last_op = greatest(p_op, last_op),
        bucket_left = p_remains
    WHERE member_id = s.member_id AND seq = s.seq;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF v_lapsed > 0 AND p_lapses_first THEN
        PERFORM ledger.write_expiry(s, p_op, r.seq, s.available - v_lapsed, s.held, s.debt, p_lapsed);
        r.seq := r.seq + 1;
        r.available := r.available - v_lapsed;
    END IF;
    INSERT INTO ledger.entry (
        member_id, op_id, posted_at, occurred_at, orig_op, seq,
        available_change, held_change, debt_change, available_after, held_after, debt_after,
        day, kind, counter, alloc, reason, related
    ) VALUES (
        s.member_id, p_op, s.posted_at, p_occurred_at, p_orig, r.seq,
        p_available, p_held, p_debt, r.available, r.held, r.debt,
        s.day, p_kind, p_counter, p_alloc, coalesce(p_reason, ''), coalesce(p_related, '')
    );
    IF v_lapsed > 0 AND NOT p_lapses_first THEN
        PERFORM ledger.write_expiry(
            s, p_op, r.seq + 1, r.available - v_lapsed, r.held, r.debt, p_lapsed
        );
        r.seq := r.seq + 1;
        r.available := r.available - v_lapsed;
    END IF;
    IF s.is_new_day THEN
        PERFORM ledger.advance_day(s.zone, s.day);
    END IF;
    r.code := 'ok';
    r.op_id := p_op;
    r.amount := ledger.amount_of(p_kind, p_available, p_held, p_debt);
    r.posted_at := s.posted_at;
    RETURN r;
END
$$;

-- The entry that takes lapsed buckets off the books; the counter account is breakage (90).
CREATE FUNCTION ledger.write_expiry(
    s ledger.standing, p_op uuid, p_seq int, p_available int, p_held int, p_debt int,
    p_lapsed ledger.purse
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger.entry (
        member_id, op_id, posted_at, seq,
        available_change, held_change, debt_change, available_after, held_after, debt_after,
        day, kind, counter, alloc, reason
    ) VALUES (
        s.member_id, ledger.op_at(s.posted_at, p_op::text || 'expire'), s.posted_at, p_seq,
        -p_lapsed.total, 0, 0, p_available, p_held, p_debt,
        s.day, 7, 90, p_lapsed.alloc, 'lapsed'
    );
END
$$;

-- Whether an operation id may be used: its instant is not after the posting (ten minutes of skew
-- between clocks are forgiven) and at most 36 months past. Makes missing partitions, for it and for
-- an expiry of now: asked before any row is written, so that nobody waits for the maker's lock while
-- others wait for theirs.
CREATE FUNCTION ledger.is_good_op(s ledger.standing, p_op uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_day date;
BEGIN
    IF p_op IS NULL OR p_op >= ledger.first_op(s.posted_at + interval '10 minutes') THEN
        RETURN false;
    END IF;
    IF p_op < s.first_op OR p_op >= s.last_op THEN
        IF p_op < ledger.first_op(public.zone_now() - interval '36 months') THEN
            RETURN false;
        END IF;
        v_day := ledger.instant_of(p_op) AT TIME ZONE 'UTC';
        PERFORM ledger.make_partitions(v_day, v_day);
    END IF;
    IF ledger.first_op(s.posted_at) NOT BETWEEN s.first_op AND s.last_op THEN
        v_day := s.posted_at AT TIME ZONE 'UTC';
        PERFORM ledger.make_partitions(v_day, v_day);
    END IF;
    RETURN true;
END
$$;
