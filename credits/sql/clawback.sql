-- Take back what an earn gave, in part or in whole: from the earn's own bucket, then soonest end
-- first; what is no longer there becomes debt, which the next credits repay.
--
-- Refusals: original_not_found, exceeds_original, invalid_amount, invalid_op, conflict.
-- A frozen or closed account does not escape it.
CREATE FUNCTION ledger.clawback(
    p_member bigint, p_op uuid, p_orig_op uuid, p_amount int, p_reason text,
    p_related text DEFAULT NULL, p_occurred_at timestamptz DEFAULT NULL,
    p_posted_at timestamptz DEFAULT NULL
) RETURNS ledger.result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    s ledger.standing;
    r ledger.result;
    o ledger.entry;
    p ledger.purse;
    v_lapsed ledger.purse;
    v_before bigint;
    v_code text;
BEGIN
    FOR v_try IN 0 .. 1 LOOP
        s := ledger.find(p_member, p_posted_at, v_try > 0);
        SELECT * INTO o FROM ledger.entry
        WHERE member_id = p_member AND op_id = p_orig_op AND kind = 1;
        IF NOT FOUND OR s.member_id IS NULL THEN
            RETURN ledger.refuse(s, p_op, p_amount, 'original_not_found');
        END IF;
        r := ledger.replay(p_member, p_op, 8, p_amount, NULL, p_orig_op, NULL);
        IF r.code IS NOT NULL THEN
            RETURN r;
        END IF;
        SELECT coalesce(sum(debt_change - available_change), 0) INTO v_before
        FROM ledger.entry WHERE member_id = p_member AND kind = 8 AND orig_op = p_orig_op;
        v_code := CASE
            WHEN NOT ledger.is_good_op(s, p_op) THEN 'invalid_op'
            WHEN p_amount IS NULL OR p_amount <= 0 THEN 'invalid_amount'
            WHEN v_before + p_amount > o.available_change - o.debt_change THEN 'exceeds_original'
            WHEN s.debt::bigint + p_amount > 2147483647 THEN 'too_large'
            WHEN p_posted_at IS NOT NULL THEN ledger.why_not_at(p_member, p_posted_at)
        END;
        IF v_code IS NOT NULL THEN
            RETURN ledger.refuse(s, p_op, p_amount, v_code);
        END IF;
        v_lapsed := NULL;
        IF s.keys[1] < s.floor THEN
            v_lapsed := ledger.lapse(s.keys, s.remains, s.floor);
        END IF;
        p := ledger.take_from(
            coalesce(v_lapsed.keys, s.keys), coalesce(v_lapsed.remains, s.remains),
            o.alloc[1]::smallint, p_amount
        );
        r := ledger.post(
            s, p.keys, p.remains, 8, p_op, -p.total, 0, p_amount - p.total, p.alloc,
            o.counter, p_orig_op, p_reason, coalesce(p_related, o.related), p_occurred_at,
            v_lapsed, true
        );
        IF r.code IS NOT NULL THEN
            RETURN r;
        END IF;
    END LOOP;
    RETURN ledger.refuse(s, p_op, p_amount, 'busy');
END
$$;
