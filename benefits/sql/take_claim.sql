-- One claim, in one call: slot, claim row, credits and event together, or nothing of it.
--
-- A refusal that is known before anything is written comes back as a code and writes nothing.
-- One that shows only afterwards is raised, so that the caller's transaction takes all of it back:
--   ZN001  another claim of this member was first (the same operation, or the last of the limit)
--   ZN002  the last slot went to somebody else after the credits were taken
--   ZN003  the ledger refused what a credit pack gives; MESSAGE is its code
--
-- Credits before the slot: the member's account row is nobody else's, a counter row is everybody's,
-- so it is locked last and for the shortest time.
CREATE TYPE benefits_take AS (
    code text,
    claim_id bigint,
    opens_at timestamptz,
    allowed integer,
    ledger_code text,
    available integer
);

CREATE FUNCTION benefits_take_claim(
    p_member bigint,
    p_release bigint,
    p_op uuid,
    p_public_id text,
    p_actor text,
    p_counter smallint,
    p_pack_counter smallint,
    p_partner bigint,
    p_external text,
    p_metadata jsonb
) RETURNS benefits_take
LANGUAGE plpgsql AS $$
DECLARE
    v_now constant timestamptz := zone_now();
    v_release record;
    v_zone text;
    v_held integer;
    v_slot integer;
    v_nth integer;
    v_code_ends_on date;
    v_claim bigint;
    v_state text;
    v_paid record;
    v_starts_at timestamptz;
BEGIN
    SELECT release.mode, release.price_credits, release.per_member, release.livemode,
           release.opens_at, release.closes_at, release.benefit_id,
           benefit.status, benefit.visible_from, benefit.claimable_from, benefit.claimable_until,
           benefit.usable_from, benefit.usable_until, benefit.valid_days, benefit.detail,
           (
               SELECT terms.id
               FROM benefits_benefitterms terms
               WHERE terms.benefit_id = benefit.id
               ORDER BY terms.published_at DESC, terms.id DESC
               LIMIT 1
           ) AS terms_id
    INTO v_release
    FROM benefits_release release
    JOIN benefits_benefit benefit ON benefit.id = release.benefit_id
    WHERE release.id = p_release;
    IF NOT FOUND OR v_release.status IN ('draft', 'in_review') THEN
        RETURN ('not_found', NULL, NULL, NULL, NULL, NULL)::benefits_take;
    END IF;
    IF v_release.status = 'ended'
       OR v_release.closes_at <= v_now OR v_release.claimable_until <= v_now THEN
        RETURN ('ended', NULL, NULL, NULL, NULL, NULL)::benefits_take;
    END IF;
    v_starts_at := greatest(
        v_release.opens_at, v_release.claimable_from, v_release.visible_from);
    IF v_starts_at > v_now THEN
        RETURN ('not_started', NULL, v_starts_at, NULL, NULL, NULL)::benefits_take;
    END IF;
    IF v_release.status = 'paused' THEN
        RETURN ('paused', NULL, NULL, NULL, NULL, NULL)::benefits_take;
    END IF;

    SELECT count(*) INTO v_held
    FROM benefits_claim
    WHERE release_id = p_release AND member_id = p_member
      AND counts_to_limit AND (holds_slot OR state = 'gifted');
    IF v_held >= v_release.per_member THEN
        RETURN ('limit_reached', NULL, NULL, v_release.per_member, NULL, NULL)::benefits_take;
    END IF;

    -- A storm on an empty release ends here, without a write.
    IF NOT benefits_has_slot(p_release, p_member, v_now) THEN
        RETURN ('sold_out', NULL, NULL, NULL, NULL, NULL)::benefits_take;
    END IF;

    IF v_release.price_credits > 0 THEN
        IF v_release.mode = 'provider' THEN
            v_paid := ledger.hold(p_member, p_op, v_release.price_credits, p_counter,
                                  'benefit', p_public_id, NULL);
        ELSE
            v_paid := ledger.spend(p_member, p_op, v_release.price_credits, p_counter,
                                   'benefit', p_public_id);
        END IF;
        IF v_paid.code <> 'ok' THEN
            RETURN ('ledger_refused', NULL, NULL, NULL, v_paid.code, v_paid.available)::benefits_take;
        END IF;
    END IF;

    v_slot := benefits_next_slot(p_release, p_member, p_op, v_now);
    IF v_slot IS NULL THEN
        IF v_release.price_credits = 0 THEN
            RETURN ('sold_out', NULL, NULL, NULL, NULL, NULL)::benefits_take;
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'ZN002', MESSAGE = 'the last slot is gone';
    END IF;

    SELECT time_zone INTO STRICT v_zone FROM members_member WHERE id = p_member;
    IF v_release.mode = 'codes' THEN
        -- STRICT: a slot on sale without its code is a fault of ours, never a claim.
        SELECT expires_on INTO STRICT v_code_ends_on
        FROM benefits_code
        WHERE release_id = p_release AND slot = v_slot;
    END IF;
    v_state := CASE v_release.mode
        WHEN 'provider' THEN 'reserved' WHEN 'credits' THEN 'redeemed' ELSE 'granted' END;

    -- Insert first, ask afterwards: two claims of one instant may both have counted the same.
    FOR v_nth IN
        SELECT candidate.number
        FROM generate_series(1, v_release.per_member) AS candidate (number)
        WHERE NOT EXISTS (
            SELECT 1 FROM benefits_claim claim
            WHERE claim.release_id = p_release AND claim.member_id = p_member
              AND claim.nth = candidate.number
              AND claim.counts_to_limit AND (claim.holds_slot OR claim.state = 'gifted')
        )
        ORDER BY candidate.number
    LOOP
        INSERT INTO benefits_claim (
            public_id, member_id, release_id, benefit_id, terms_id, slot, nth, op_id, mode, state,
            holds_slot, price_credits, per_member, livemode, provider_status, next_attempt_at,
            attempts, created_at, granted_at, redeemed_at, valid_from, valid_until, updated_at,
            failure_code, partner_id, external_id, metadata
        ) VALUES (
            p_public_id, p_member, p_release, v_release.benefit_id, v_release.terms_id, v_slot,
            v_nth, p_op, v_release.mode, v_state, true, v_release.price_credits,
            v_release.per_member, v_release.livemode, '',
            CASE v_state WHEN 'reserved' THEN v_now END, 0, v_now,
            CASE WHEN v_state <> 'reserved' THEN v_now END,
            CASE v_state WHEN 'redeemed' THEN v_now END,
            CASE v_state WHEN 'granted' THEN greatest(v_now, v_release.usable_from) END,
            CASE v_state WHEN 'granted' THEN benefits_valid_until(
                v_now, v_zone, v_release.valid_days, v_release.usable_until, v_code_ends_on) END,
            v_now, '', p_partner, p_external, p_metadata
        )
        ON CONFLICT DO NOTHING
        RETURNING id INTO v_claim;
        EXIT WHEN v_claim IS NOT NULL;
    END LOOP;
    IF v_claim IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'ZN001', MESSAGE = 'another claim was first';
    END IF;

    IF v_release.mode = 'credits' THEN
        v_paid := ledger.earn(
            p_member, p_op, (v_release.detail ->> 'credits')::integer,
            ((v_now AT TIME ZONE v_zone) + interval '12 months')::date, 0::smallint,
            p_pack_counter, 'benefit', p_public_id, v_now);
        IF v_paid.code <> 'ok' THEN
            RAISE EXCEPTION USING ERRCODE = 'ZN003', MESSAGE = v_paid.code;
        END IF;
    END IF;

    INSERT INTO benefits_claimevent (claim_id, at, actor, cause, from_state, to_state)
    VALUES (v_claim, v_now, p_actor, 'claim', '', v_state);
    RETURN ('ok', v_claim, NULL, NULL, NULL, NULL)::benefits_take;
END
$$;
