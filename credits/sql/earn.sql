-- Give a member credits. Debt is repaid first; the rest goes into the bucket of `p_until`'s month
-- end (twelve months from posting when absent) and funding class (0 promotional, 1 paid).
--
-- Refusals: invalid_amount, invalid_op, invalid_until, not_found, frozen, closed, too_large,
-- too_many_buckets, out_of_order, conflict.
--
-- The common case is two short statements, as in `spend`: a newer operation, no debt, nothing lapsed,
-- and a bucket that is there already.
CREATE OR REPLACE FUNCTION ledger.earn(
    p_member bigint, p_op uuid, p_amount int, p_until date, p_funding smallint, p_counter smallint,
    p_reason text, p_related text, p_occurred_at timestamptz,
    p_posted_at timestamptz DEFAULT NULL
) RETURNS ledger.result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    r ledger.result;
    v_at timestamptz := public.zone_now();
    v_key int := ledger.month_number(p_until) * 2 + p_funding;
    v_day date;
BEGIN
    UPDATE ledger.account a
    SET seq = a.seq + 1, available = a.available + p_amount, last_op = p_op,
        bucket_left[
            array_position(a.bucket_keys, coalesce(v_key, z.floor + 24 + p_funding)::smallint)
        ] = a.bucket_left[
            array_position(a.bucket_keys, coalesce(v_key, z.floor + 24 + p_funding)::smallint)
        ] + p_amount
    FROM ledger.zone_day z
    WHERE a.member_id = p_member AND z.zone = a.zone
      AND coalesce(v_key, z.floor + 24 + p_funding) = ANY (a.bucket_keys)
      AND p_amount > 0 AND a.debt = 0 AND a.available + a.held <= 2147483647 - p_amount
      AND a.bucket_keys[1] >= z.floor AND public.zone_now() < z.ends_at
      AND a.last_op < p_op AND z.first_op <= p_op AND p_op < z.last_op
      AND p_op < (
          lpad(to_hex((date_part('epoch', v_at) * 1000)::bigint + 600000), 12, '0')
          || '00000000000000000000'
      )::uuid
      AND a.status = 0 AND p_posted_at IS NULL
    RETURNING a.seq, a.available, a.held, a.debt, coalesce(v_key, z.floor + 24 + p_funding), z.day
    INTO r.seq, r.available, r.held, r.debt, v_key, v_day;
    IF NOT FOUND THEN
        RETURN ledger.credit(
            1, p_member, p_op, p_amount, p_until, p_funding, p_counter,
            p_reason, p_related, p_occurred_at, p_posted_at, false
        );
    END IF;
    INSERT INTO ledger.entry (
        member_id, op_id, posted_at, occurred_at, seq, available_change, held_change, debt_change,
        available_after, held_after, debt_after, day, kind, counter, alloc, reason, related
    ) VALUES (
        p_member, p_op, v_at, p_occurred_at, r.seq, p_amount, 0, 0, r.available, r.held, r.debt,
        v_day, 1, p_counter, ARRAY[v_key, p_amount], coalesce(p_reason, ''), coalesce(p_related, '')
    )
    RETURNING 'ok', op_id, p_amount, available_after, held_after, debt_after, seq,
              (make_date(2000 + v_key / 24, v_key / 2 % 12 + 1, 1) + interval '1 month - 1 day')::date,
              posted_at
    INTO r;
    RETURN r;
END
$$;

-- The common road of earn (kind 1) and adjust upward (kind 9). What is owed (`p_is_owed`) is posted
-- to a frozen account too.
CREATE OR REPLACE FUNCTION ledger.credit(
    p_kind int, p_member bigint, p_op uuid, p_amount int, p_until date, p_funding smallint,
    p_counter smallint, p_reason text, p_related text, p_occurred_at timestamptz,
    p_posted_at timestamptz, p_is_owed boolean
) RETURNS ledger.result LANGUAGE plpgsql AS $$
DECLARE
    s ledger.standing;
    r ledger.result;
    p ledger.purse;
    v_lapsed ledger.purse;
    v_key int;
    v_repaid int;
    v_code text;
    v_alloc int[];
BEGIN
    FOR v_try IN 0 .. 2 LOOP
        s := ledger.find(p_member, p_posted_at, v_try > 0);
        IF s.member_id IS NULL THEN
            IF v_try = 0 AND ledger.open_account(p_member) THEN
                CONTINUE;
            END IF;
            RETURN ledger.refuse(s, p_op, p_amount, 'not_found');
        END IF;
        IF p_op <= s.newest_op THEN
            r := ledger.replay(p_member, p_op, p_kind, p_amount, p_counter, NULL, p_related);
            IF r.code IS NOT NULL THEN
                RETURN r;
            END IF;
        END IF;
        v_key := ledger.month_number(
            coalesce(p_until, (s.day + interval '12 months')::date)
        ) * 2 + p_funding;
        v_code := CASE
            WHEN NOT ledger.is_good_op(s, p_op) THEN 'invalid_op'
            WHEN p_amount IS NULL OR p_amount <= 0 THEN 'invalid_amount'
            WHEN p_funding IS NULL OR p_funding NOT IN (0, 1) THEN 'invalid_until'
            WHEN v_key < s.floor OR v_key > s.floor + 121 THEN 'invalid_until'
            WHEN s.status = 1 AND NOT p_is_owed THEN 'frozen'
            WHEN s.status = 2 THEN 'closed'
            WHEN s.available::bigint + s.held + p_amount > 2147483647 THEN 'too_large'
            WHEN p_posted_at IS NOT NULL THEN ledger.why_not_at(p_member, p_posted_at)
        END;
        IF v_code IS NOT NULL THEN
            RETURN ledger.refuse(s, p_op, p_amount, v_code);
        END IF;
        v_repaid := least(s.debt, p_amount);
        v_alloc := CASE WHEN p_amount > v_repaid THEN ARRAY[v_key, p_amount - v_repaid] ELSE '{}' END;
        p := ledger.put(s.keys, s.remains, v_alloc);
        IF p.keys[1] < s.floor THEN
            v_lapsed := ledger.lapse(p.keys, p.remains, s.floor);
            p.keys := v_lapsed.keys;
            p.remains := v_lapsed.remains;
        END IF;
        IF cardinality(p.keys) > 40 THEN
            RETURN ledger.refuse(s, p_op, p_amount, 'too_many_buckets');
        END IF;
        r := ledger.post(
            s, p.keys, p.remains, p_kind, p_op, p_amount - v_repaid, 0, -v_repaid, v_alloc,
            p_counter, NULL, p_reason, p_related, p_occurred_at, v_lapsed, false
        );
        IF r.code IS NOT NULL THEN
            IF p_amount > v_repaid AND array_position(s.keys, v_key::smallint) IS NULL THEN
                INSERT INTO ledger.lot_due (zone, month, member_id)
                VALUES (s.zone, v_key / 2, p_member) ON CONFLICT DO NOTHING;
            END IF;
            r.expires_on := ledger.expires_on(v_key);
            RETURN r;
        END IF;
    END LOOP;
    RETURN ledger.refuse(s, p_op, p_amount, 'busy');
END
$$;

-- Whether a late record may be posted as of `p_at`: not in the future, and after every entry there is.
CREATE OR REPLACE FUNCTION ledger.why_not_at(p_member bigint, p_at timestamptz) RETURNS text
LANGUAGE sql STABLE
RETURN CASE
    WHEN p_at > public.zone_now()
        OR EXISTS (SELECT FROM ledger.entry WHERE member_id = p_member AND posted_at > p_at)
    THEN 'out_of_order'
END;
