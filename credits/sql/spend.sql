-- Take credits from a member for good, soonest end first, promotional before paid.
--
-- Refusals: insufficient (with what is available), frozen, closed, not_found, invalid_amount,
-- invalid_op, out_of_order, conflict.
--
-- The common case is two short statements: an operation newer than any of the member's, nothing
-- lapsed, and a first bucket that has enough. All it decides by stands in the row it updates, so under
-- READ COMMITTED a rival's commit is seen before the row is written. Everything else takes the long
-- road. The operation's latest allowed instant is written out: this is the one place where a call of
-- `first_op` would be felt.
CREATE OR REPLACE FUNCTION ledger.spend(
    p_member bigint, p_op uuid, p_amount int, p_counter smallint, p_reason text, p_related text,
    p_posted_at timestamptz DEFAULT NULL
) RETURNS ledger.result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    r ledger.result;
    v_at timestamptz := public.zone_now();
    v_day date;
    v_key int;
BEGIN
    UPDATE ledger.account a
    SET seq = a.seq + 1, available = a.available - p_amount, last_op = p_op,
        bucket_left[1] = a.bucket_left[1] - p_amount
    FROM ledger.zone_day z
    WHERE a.member_id = p_member AND z.zone = a.zone
      AND a.bucket_left[1] > p_amount AND p_amount > 0
      AND a.bucket_keys[1] >= z.floor AND public.zone_now() < z.ends_at
      AND a.last_op < p_op AND z.first_op <= p_op AND p_op < z.last_op
      AND p_op < (
          lpad(to_hex((date_part('epoch', v_at) * 1000)::bigint + 600000), 12, '0')
          || '00000000000000000000'
      )::uuid
      AND a.status = 0 AND p_posted_at IS NULL
    RETURNING a.seq, a.available, a.held, a.debt, a.bucket_keys[1], z.day
    INTO r.seq, r.available, r.held, r.debt, v_key, v_day;
    IF NOT FOUND THEN
        RETURN ledger.debit(
            2, p_member, p_op, p_amount, p_counter, p_reason, p_related, NULL, p_posted_at
        );
    END IF;
    INSERT INTO ledger.entry (
        member_id, op_id, posted_at, seq, available_change, held_change, debt_change,
        available_after, held_after, debt_after, day, kind, counter, alloc, reason, related
    ) VALUES (
        p_member, p_op, v_at, r.seq, -p_amount, 0, 0, r.available, r.held, r.debt, v_day, 2,
        p_counter, ARRAY[v_key, p_amount], coalesce(p_reason, ''), coalesce(p_related, '')
    )
    RETURNING 'ok', op_id, p_amount, available_after, held_after, debt_after, seq, NULL, posted_at
    INTO r;
    RETURN r;
END
$$;

-- Set credits aside until they are captured or voided, or until `p_expires_at` when given.
-- The hold's id is its op. Refusals as for spend, and invalid_expiry.
CREATE OR REPLACE FUNCTION ledger.hold(
    p_member bigint, p_op uuid, p_amount int, p_counter smallint, p_reason text, p_related text,
    p_expires_at timestamptz DEFAULT NULL, p_posted_at timestamptz DEFAULT NULL
) RETURNS ledger.result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
    RETURN ledger.debit(
        3, p_member, p_op, p_amount, p_counter, p_reason, p_related, p_expires_at, p_posted_at
    );
END
$$;

-- The common road of spend (kind 2), hold (kind 3) and adjust downward (kind 9).
CREATE OR REPLACE FUNCTION ledger.debit(
    p_kind int, p_member bigint, p_op uuid, p_amount int, p_counter smallint, p_reason text,
    p_related text, p_expires_at timestamptz, p_posted_at timestamptz
) RETURNS ledger.result LANGUAGE plpgsql AS $$
DECLARE
    s ledger.standing;
    r ledger.result;
    p ledger.purse;
    v_lapsed ledger.purse;
    v_code text;
    v_asked int := CASE WHEN p_kind = 9 THEN -p_amount ELSE p_amount END;
BEGIN
    FOR v_try IN 0 .. 1 LOOP
        s := ledger.find(p_member, p_posted_at, v_try > 0);
        IF s.member_id IS NULL THEN
            RETURN ledger.refuse(
                s, p_op, v_asked, CASE
                    WHEN NOT EXISTS (SELECT FROM public.members_member WHERE id = p_member)
                        THEN 'not_found'
                    WHEN p_amount IS NULL OR p_amount <= 0 THEN 'invalid_amount'
                    ELSE 'insufficient'
                END
            );
        END IF;
        IF p_op <= s.newest_op THEN
            r := ledger.replay(p_member, p_op, p_kind, v_asked, p_counter, NULL, p_related);
            IF r.code IS NOT NULL THEN
                RETURN r;
            END IF;
        END IF;
        IF s.keys[1] < s.floor THEN
            v_lapsed := ledger.lapse(s.keys, s.remains, s.floor);
            p := ledger.take(v_lapsed.keys, v_lapsed.remains, p_amount);
        ELSE
            v_lapsed := NULL;
            p := ledger.take(s.keys, s.remains, p_amount);
        END IF;
        v_code := CASE
            WHEN NOT ledger.is_good_op(s, p_op) THEN 'invalid_op'
            WHEN p_amount IS NULL OR p_amount <= 0 THEN 'invalid_amount'
            WHEN p_expires_at <= s.posted_at THEN 'invalid_expiry'
            WHEN s.status = 1 AND p_kind <> 9 THEN 'frozen'
            WHEN s.status = 2 AND p_kind <> 9 THEN 'closed'
            WHEN p.total < p_amount THEN 'insufficient'
            WHEN p_posted_at IS NOT NULL THEN ledger.why_not_at(p_member, p_posted_at)
        END;
        IF v_code IS NOT NULL THEN
            RETURN ledger.refuse(s, p_op, v_asked, v_code);
        END IF;
        r := ledger.post(
            s, p.keys, p.remains, p_kind, p_op, -p_amount,
            CASE WHEN p_kind = 3 THEN p_amount ELSE 0 END, 0, p.alloc,
            p_counter, NULL, p_reason, p_related, NULL, v_lapsed, true
        );
        IF r.code IS NOT NULL THEN
            IF p_kind = 3 THEN
                INSERT INTO ledger.hold (
                    member_id, op_id, amount, counter, created_at, expires_at, alloc, reason, related
                ) VALUES (
                    p_member, p_op, p_amount, p_counter, s.posted_at, p_expires_at, p.alloc,
                    coalesce(p_reason, ''), coalesce(p_related, '')
                );
            END IF;
            RETURN r;
        END IF;
    END LOOP;
    RETURN ledger.refuse(s, p_op, v_asked, 'busy');
END
$$;
