-- Undo an adjustment, once and as a whole, in the buckets it touched: what it took goes back into the
-- very buckets it left, what it gave is taken from the bucket it came into. What of that was spent
-- meanwhile is taken from the soonest end; below zero it never goes.
--
-- Debt is repaid first, and what falls into a lapsed bucket expires at once, as with a refund.
--
-- Refusals: original_not_found, exceeds_original (undone before), insufficient, invalid_op, closed,
-- too_large, too_many_buckets, conflict.
CREATE OR REPLACE FUNCTION ledger.unadjust(
    p_member bigint, p_op uuid, p_orig_op uuid, p_reason text, p_related text
) RETURNS ledger.result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    s ledger.standing;
    r ledger.result;
    o ledger.entry;
    p ledger.purse;
    v_lapsed ledger.purse;
    v_amount int;
    v_repaid int;
    v_code text;
BEGIN
    FOR v_try IN 0 .. 1 LOOP
        s := ledger.find(p_member, NULL, v_try > 0);
        SELECT * INTO o FROM ledger.entry
        WHERE member_id = p_member AND op_id = p_orig_op AND kind = 9;
        IF NOT FOUND OR s.member_id IS NULL THEN
            RETURN ledger.refuse(s, p_op, 0, 'original_not_found');
        END IF;
        v_amount := o.debt_change - o.available_change;
        r := ledger.replay(p_member, p_op, 9, v_amount, NULL, p_orig_op, p_related);
        IF r.code IS NOT NULL THEN
            RETURN r;
        END IF;
        v_repaid := least(s.debt, greatest(v_amount, 0));
        v_lapsed := NULL;
        IF v_amount > 0 THEN
            p := ledger.put(
                s.keys, s.remains, ledger.part(o.alloc, v_repaid, v_amount - v_repaid)
            );
            IF p.keys[1] < s.floor THEN
                v_lapsed := ledger.lapse(p.keys, p.remains, s.floor);
                p.keys := v_lapsed.keys;
                p.remains := v_lapsed.remains;
            END IF;
        ELSE
            p.keys := s.keys;
            p.remains := s.remains;
            IF s.keys[1] < s.floor THEN
                v_lapsed := ledger.lapse(s.keys, s.remains, s.floor);
                p.keys := v_lapsed.keys;
                p.remains := v_lapsed.remains;
            END IF;
            p := ledger.take_from(p.keys, p.remains, o.alloc[1]::smallint, -v_amount);
        END IF;
        v_code := CASE
            WHEN NOT ledger.is_good_op(s, p_op) THEN 'invalid_op'
            WHEN EXISTS (
                SELECT FROM ledger.entry
                WHERE member_id = p_member AND kind = 9 AND orig_op = p_orig_op
            ) THEN 'exceeds_original'
            WHEN v_amount > 0 AND s.status = 2 THEN 'closed'
            WHEN v_amount < 0 AND p.total < -v_amount THEN 'insufficient'
            WHEN s.available::bigint + s.held + v_amount > 2147483647 THEN 'too_large'
            WHEN cardinality(p.keys) > 40 THEN 'too_many_buckets'
        END;
        IF v_code IS NOT NULL THEN
            RETURN ledger.refuse(s, p_op, v_amount, v_code);
        END IF;
        r := ledger.post(
            s, p.keys, p.remains, 9, p_op, v_amount - v_repaid, 0, -v_repaid, p.alloc,
            o.counter, p_orig_op, p_reason, p_related, NULL, v_lapsed, v_amount < 0
        );
        IF r.code IS NOT NULL THEN
            RETURN r;
        END IF;
    END LOOP;
    RETURN ledger.refuse(s, p_op, v_amount, 'busy');
END
$$;
