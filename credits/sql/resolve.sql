-- Resolving a hold, once.

-- Take all of a hold, or `p_amount` of it: the rest returns to its buckets in the same entry.
--
-- Refusals: hold_not_found, already_resolved, hold_expired, exceeds_hold, invalid_amount,
-- invalid_op, conflict. A frozen or closed account does not stop what was promised before.
CREATE FUNCTION ledger.capture(
    p_member bigint, p_hold_op uuid, p_op uuid, p_amount int DEFAULT NULL
) RETURNS ledger.result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
    RETURN ledger.resolve(4, p_member, p_hold_op, p_op, p_amount);
END
$$;

-- Give all of a hold back. Credits whose bucket has lapsed meanwhile come back and expire at once,
-- as two entries; debt is repaid first. Refusals as for capture.
CREATE FUNCTION ledger.void(p_member bigint, p_hold_op uuid, p_op uuid) RETURNS ledger.result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
    RETURN ledger.resolve(5, p_member, p_hold_op, p_op, NULL);
END
$$;

CREATE FUNCTION ledger.resolve(
    p_kind int, p_member bigint, p_hold_op uuid, p_op uuid, p_amount int
) RETURNS ledger.result LANGUAGE plpgsql AS $$
DECLARE
    s ledger.standing;
    r ledger.result;
    h ledger.hold;
    p ledger.purse;
    v_lapsed ledger.purse;
    v_captured int;
    v_back int;
    v_repaid int;
    v_code text;
    v_is_lapsed boolean;
BEGIN
    FOR v_try IN 0 .. 1 LOOP
        s := ledger.find(p_member, NULL, v_try > 0);
        SELECT * INTO h FROM ledger.hold WHERE member_id = p_member AND op_id = p_hold_op;
        IF NOT FOUND OR s.member_id IS NULL THEN
            RETURN ledger.refuse(s, p_op, p_amount, 'hold_not_found');
        END IF;
        v_captured := CASE WHEN p_kind = 4 THEN coalesce(p_amount, h.amount) ELSE 0 END;
        r := ledger.replay(
            p_member, p_op, p_kind, CASE WHEN p_kind = 4 THEN v_captured ELSE h.amount END,
            NULL, p_hold_op, NULL
        );
        IF r.code IS NOT NULL THEN
            RETURN r;
        END IF;
        v_is_lapsed := h.expires_at IS NOT NULL AND h.expires_at <= s.posted_at;
        v_code := CASE
            WHEN h.state = 3 THEN 'hold_expired'
            WHEN h.state <> 0 THEN 'already_resolved'
            WHEN NOT ledger.is_good_op(s, p_op) THEN 'invalid_op'
            WHEN p_kind = 4 AND v_is_lapsed THEN 'hold_expired'
            WHEN p_kind = 4 AND v_captured <= 0 THEN 'invalid_amount'
            WHEN v_captured > h.amount THEN 'exceeds_hold'
        END;
        IF v_code IS NOT NULL THEN
            RETURN ledger.refuse(s, p_op, coalesce(p_amount, h.amount), v_code);
        END IF;
        v_back := h.amount - v_captured;
        v_repaid := least(s.debt, v_back);
        -- Captured are the credits that end soonest; of what returns, debt takes those first.
        p := ledger.put(
            s.keys, s.remains, ledger.part(h.alloc, v_captured + v_repaid, v_back - v_repaid)
        );
        v_lapsed := NULL;
        IF p.keys[1] < s.floor THEN
            v_lapsed := ledger.lapse(p.keys, p.remains, s.floor);
        END IF;
        r := ledger.post(
            s, coalesce(v_lapsed.keys, p.keys), coalesce(v_lapsed.remains, p.remains),
            p_kind, p_op, v_back - v_repaid, -h.amount, -v_repaid, p.alloc,
            h.counter, p_hold_op, h.reason, h.related, NULL, v_lapsed, false
        );
        IF r.code IS NOT NULL THEN
            UPDATE ledger.hold
            SET state = CASE WHEN p_kind = 4 THEN 1 WHEN v_is_lapsed THEN 3 ELSE 2 END,
                captured = v_captured, resolved_at = s.posted_at, resolved_op = p_op
            WHERE member_id = p_member AND op_id = p_hold_op AND state = 0;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'hold % of member % was resolved outside the ledger', p_hold_op, p_member;
            END IF;
            RETURN r;
        END IF;
    END LOOP;
    RETURN ledger.refuse(s, p_op, p_amount, 'busy');
END
$$;

-- Return holds past their time, at most `p_limit`. Safe to repeat and to race; says how many.
CREATE FUNCTION ledger.lapse_holds(p_limit int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    h record;
    v_count int := 0;
BEGIN
    FOR h IN
        SELECT member_id, op_id FROM ledger.hold
        WHERE state = 0 AND expires_at <= public.zone_now()
        ORDER BY member_id, op_id LIMIT p_limit
    LOOP
        IF (ledger.resolve(
            5, h.member_id, h.op_id, ledger.op_at(public.zone_now(), h.op_id::text || 'lapse'), NULL
        )).code = 'ok' THEN
            v_count := v_count + 1;
        END IF;
    END LOOP;
    RETURN v_count;
END
$$;
