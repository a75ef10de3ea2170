-- Give a spend or a capture back, in part or in whole, to the buckets it came from: those that end
-- last first. Debt is repaid first; what falls into a lapsed bucket expires at once.
--
-- Refusals: original_not_found, exceeds_original, invalid_amount, invalid_op, closed, conflict.
CREATE FUNCTION ledger.refund(
    p_member bigint, p_op uuid, p_orig_op uuid, p_amount int, p_reason text,
    p_related text DEFAULT NULL
) RETURNS ledger.result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    s ledger.standing;
    r ledger.result;
    o ledger.entry;
    p ledger.purse;
    v_lapsed ledger.purse;
    v_spent int;
    v_before bigint;
    v_repaid int;
    v_taken int[];
    v_code text;
BEGIN
    FOR v_try IN 0 .. 1 LOOP
        s := ledger.find(p_member, NULL, v_try > 0);
        SELECT * INTO o FROM ledger.entry
        WHERE member_id = p_member AND op_id = p_orig_op AND kind IN (2, 4);
        IF NOT FOUND OR s.member_id IS NULL THEN
            RETURN ledger.refuse(s, p_op, p_amount, 'original_not_found');
        END IF;
        r := ledger.replay(p_member, p_op, 6, p_amount, NULL, p_orig_op, NULL);
        IF r.code IS NOT NULL THEN
            RETURN r;
        END IF;
        v_spent := ledger.amount_of(o.kind, o.available_change, o.held_change, o.debt_change);
        SELECT coalesce(sum(available_change - debt_change), 0) INTO v_before
        FROM ledger.entry WHERE member_id = p_member AND kind = 6 AND orig_op = p_orig_op;
        v_code := CASE
            WHEN NOT ledger.is_good_op(s, p_op) THEN 'invalid_op'
            WHEN p_amount IS NULL OR p_amount <= 0 THEN 'invalid_amount'
            WHEN s.status = 2 THEN 'closed'
            WHEN v_before + p_amount > v_spent THEN 'exceeds_original'
            WHEN s.available::bigint + s.held + p_amount > 2147483647 THEN 'too_large'
        END;
        IF v_code IS NOT NULL THEN
            RETURN ledger.refuse(s, p_op, p_amount, v_code);
        END IF;
        v_taken := o.alloc;
        IF o.kind = 4 THEN
            SELECT ledger.part(alloc, 0, captured) INTO v_taken
            FROM ledger.hold WHERE member_id = p_member AND op_id = o.orig_op;
        END IF;
        v_repaid := least(s.debt, p_amount);
        p := ledger.put(s.keys, s.remains, ledger.part(
            v_taken, (v_spent - v_before - p_amount)::int + v_repaid, p_amount - v_repaid
        ));
        v_lapsed := NULL;
        IF p.keys[1] < s.floor THEN
            v_lapsed := ledger.lapse(p.keys, p.remains, s.floor);
        END IF;
        IF cardinality(coalesce(v_lapsed.keys, p.keys)) > 40 THEN
            RETURN ledger.refuse(s, p_op, p_amount, 'too_many_buckets');
        END IF;
        r := ledger.post(
            s, coalesce(v_lapsed.keys, p.keys), coalesce(v_lapsed.remains, p.remains),
            6, p_op, p_amount - v_repaid, 0, -v_repaid, p.alloc,
            o.counter, p_orig_op, p_reason, coalesce(p_related, o.related), NULL, v_lapsed, false
        );
        IF r.code IS NOT NULL THEN
            RETURN r;
        END IF;
    END LOOP;
    RETURN ledger.refuse(s, p_op, p_amount, 'busy');
END
$$;
