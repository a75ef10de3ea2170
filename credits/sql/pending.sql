-- Credits that are promised with a purchase and earned when its return window has passed.
--
-- A promise carries the operation id that its earn will have, so what is taken back later names the
-- same operation whether it was earned by then or not.

-- Promise many earns at once. A promise that exists stays as it is; answers how many were made.
CREATE FUNCTION ledger.promise_batch(
    p_members bigint[], p_ops uuid[], p_amounts int[], p_matures_ats timestamptz[],
    p_counters smallint[], p_reasons text[], p_relateds text[], p_occurred_ats timestamptz[]
) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    v_made int;
BEGIN
    INSERT INTO ledger.pending_earn (
        member_id, op_id, matures_at, amount, funding, counter, occurred_at, created_at, reason,
        related
    )
    SELECT u.member, u.op, u.matures_at, u.amount, 0, u.counter, u.occurred_at, public.zone_now(),
           u.reason, u.related
    FROM unnest(
        p_members, p_ops, p_amounts, p_matures_ats, p_counters, p_reasons, p_relateds, p_occurred_ats
    ) u (member, op, amount, matures_at, counter, reason, related, occurred_at)
    ORDER BY u.member, u.op
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS v_made = ROW_COUNT;
    RETURN v_made;
END
$$;

-- Take up to `p_amount` off a promise that still waits; answers how much. A promise with nothing
-- left is canceled. Nothing was earned, so the journal does not change.
CREATE FUNCTION ledger.cancel_pending(p_member bigint, p_op uuid, p_amount int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    v_left int;
BEGIN
    IF p_amount IS NULL OR p_amount <= 0 THEN
        RETURN 0;
    END IF;
    SELECT amount - taken INTO v_left FROM ledger.pending_earn
    WHERE member_id = p_member AND op_id = p_op AND state = 0 FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    UPDATE ledger.pending_earn SET
        taken = taken + least(p_amount, v_left),
        state = CASE WHEN p_amount >= v_left THEN 2 ELSE 0 END,
        resolved_at = CASE WHEN p_amount >= v_left THEN public.zone_now() END
    WHERE member_id = p_member AND op_id = p_op;
    RETURN least(p_amount, v_left);
END
$$;

-- Take back what an earn gave as far as credits are there: no debt is made. Answers code 'nothing'
-- when there are none; everything else as `ledger.clawback` does.
CREATE FUNCTION ledger.clawback_available(
    p_member bigint, p_op uuid, p_orig_op uuid, p_amount int, p_reason text, p_related text,
    p_occurred_at timestamptz
) RETURNS ledger.result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    s ledger.standing := ledger.find(p_member, NULL, true);
    r ledger.result;
    v_live bigint;
BEGIN
    SELECT coalesce(sum(u.amount), 0) INTO v_live
    FROM unnest(s.keys, s.remains) u (key, amount) WHERE u.key >= s.floor;
    IF v_live = 0 THEN
        r.code := 'nothing';
        r.op_id := p_op;
        r.amount := 0;
        RETURN r;
    END IF;
    RETURN ledger.clawback(
        p_member, p_op, p_orig_op, least(p_amount, v_live)::int, p_reason, p_related, p_occurred_at
    );
END
$$;
