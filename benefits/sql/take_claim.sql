-- One claim, in one call: slot, claim row, credits and event together, or nothing of it.
--
-- A refusal that is known before anything is written comes back as a code and writes nothing.
-- One that shows only afterwards is raised, so that the caller's transaction takes all of it back:
--   ZN001  another claim of this member was first (the same operation, or the last of the limit)
--   ZN002  the last slot went to somebody else after the credits were taken
--   ZN004  a limit was used up by another claim meanwhile
--   ZN005  the money budget was used up meanwhile
--   ZN003  the ledger refused what a credit pack gives; MESSAGE is its code
--
-- With p_is_paid the price was paid by others, and what is held for that gift is what is taken.
--
-- Locks in one order: a ticket's draw, shared, the member's bundles and account, which are nobody
-- else's, then the limits by their keys, the budget, and last the counter row, which is everybody's.
DROP FUNCTION IF EXISTS benefits_take_claim(
    bigint, bigint, uuid, text, text, smallint, smallint, bigint, text, jsonb, integer, text[],
    boolean);
CREATE OR REPLACE FUNCTION benefits_take_claim(
    p_member bigint,
    p_release bigint,
    p_op uuid,
    p_public_id text,
    p_actor text,
    p_counter smallint,
    p_pack_counter smallint,
    p_partner bigint,
    p_external text,
    p_metadata jsonb,
    p_price integer DEFAULT NULL,
    p_tiers text[] DEFAULT NULL,
    p_reveals boolean DEFAULT false,
    p_is_paid boolean DEFAULT false
) RETURNS benefits_take
LANGUAGE plpgsql AS $$
DECLARE
    v_now constant timestamptz := zone_now();
    v_release record;
    v_price integer;
    v_quota record;
    v_use bigint;
    v_uses bigint[] := '{}';
    v_frees_at timestamptz[] := '{}';
    v_held integer;
    v_slot integer;
    v_nths integer[] := '{1}';
    v_nth integer;
    v_code_ends_on date;
    v_claim bigint;
    v_rival bigint;
    v_state text;
    v_paid record;
    v_starts_at timestamptz;
    v_is_group boolean := false;
    v_draw bigint;
BEGIN
    -- Everything that decides without being locked first, in one statement: a claim of a rush pays
    -- for each statement's start more than for what it reads.
    SELECT release.mode, release.price_credits, release.per_member, release.livemode,
           release.opens_at, release.closes_at, release.benefit_id,
           benefit.status, benefit.visible_from, benefit.claimable_from, benefit.claimable_until,
           benefit.usable_from, benefit.usable_after_days, benefit.usable_until,
           benefit.valid_days, benefit.detail,
           benefit.budget_id, benefit.unit_cost, benefit.unit_cost_currency,
           member.time_zone, member.wallet_id, member.person_token,
           -- What is given out by lot is claimed by those who were drawn, as often as they were,
           -- until the draw is done.
           EXISTS (
               SELECT 1 FROM benefits_fairdraw draw
               WHERE draw.release_id = release.id AND draw.state IN ('open', 'closed', 'drawing')
                 AND (
                     SELECT count(*) FROM benefits_drawentry entry
                     WHERE entry.draw_id = draw.id AND entry.member_id = p_member
                       AND entry.state = 'won'
                 ) <= (
                     SELECT count(*) FROM benefits_claim had
                     WHERE had.release_id = release.id AND had.member_id = p_member
                       AND had.counts_to_limit AND (had.holds_slot OR had.state = 'gifted')
                 )
           ) AS is_drawn_only,
           EXISTS (
               SELECT 1 FROM benefits_quota quota
               WHERE quota.benefit_id = benefit.id AND quota.is_active
           ) AS has_quotas,
           EXISTS (
               SELECT 1 FROM benefits_pricerow price WHERE price.benefit_id = benefit.id
           ) AS has_prices,
           EXISTS (
               SELECT 1 FROM benefits_openinghours hours
               WHERE hours.benefit_id = benefit.id AND hours.is_active
           ) AS has_hours,
           EXISTS (
               SELECT 1 FROM benefits_bundleitem item WHERE item.benefit_id = benefit.id
           ) AS has_bundles,
           EXISTS (
               SELECT 1 FROM benefits_returnedslot held
               WHERE held.release_id = release.id AND held.offered_to_id = p_member
           ) AS has_offer,
           EXISTS (
               SELECT 1 FROM benefits_slotcounter counter
               WHERE counter.release_id = release.id
                 AND counter.next_slot <= counter.end_slot
                 AND (counter.sells_until IS NULL OR counter.sells_until > v_now)
           ) AS has_range,
           (
               SELECT count(*)
               FROM benefits_claim claim
               WHERE claim.release_id = release.id AND claim.member_id = p_member
                 AND claim.counts_to_limit AND (claim.holds_slot OR claim.state = 'gifted')
           ) AS held,
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
    JOIN members_member member ON member.id = p_member
    WHERE release.id = p_release;
    IF FOUND AND v_release.is_drawn_only THEN
        RETURN ('drawn_only', NULL, NULL, NULL, NULL, NULL)::benefits_take;
    END IF;
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
    IF v_release.has_hours AND NOT benefits_is_open(v_release.benefit_id, v_now) THEN
        v_starts_at := benefits_opens_next(v_release.benefit_id, v_now);
        RETURN (CASE WHEN v_starts_at IS NULL THEN 'ended' ELSE 'not_started' END,
                NULL, v_starts_at, NULL, NULL, NULL)::benefits_take;
    END IF;

    -- A ticket is an entry: none is sold for a draw that does not take it.
    IF v_release.mode = 'draw' THEN
        SELECT draw_id, opens_at INTO v_draw, v_starts_at
        FROM benefits_enterable_draw(v_release.detail ->> 'draw');
        IF v_draw IS NULL THEN
            RETURN ('draw_closed', NULL, NULL, NULL, NULL, NULL)::benefits_take;
        END IF;
        IF v_starts_at IS NOT NULL THEN
            RETURN ('not_started', NULL, v_starts_at, NULL, NULL, NULL)::benefits_take;
        END IF;
    END IF;

    -- A tier is read from the journal by its reader, who then asks again with it.
    IF p_tiers IS NULL AND (v_release.has_prices OR v_release.has_quotas)
       AND benefits_needs_tier(v_release.benefit_id) THEN
        RETURN ('tier_needed', NULL, NULL, NULL, NULL, NULL)::benefits_take;
    END IF;

    v_held := v_release.held;
    IF v_release.has_bundles THEN
        PERFORM benefits_lock_bundles(v_release.benefit_id, p_member);
        -- Once more, now that no other choice of this member can come in between.
        SELECT count(*) INTO v_held
        FROM benefits_claim
        WHERE release_id = p_release AND member_id = p_member
          AND counts_to_limit AND (holds_slot OR state = 'gifted');
    END IF;
    -- What is held for a gift that friends pay for goes to that gift alone, and is one of its
    -- starter's limit already.
    IF v_release.has_offer THEN
        v_is_group := EXISTS (
            SELECT 1 FROM benefits_groupgift own
            WHERE own.starter_id = p_member AND own.release_id = p_release
              AND own.state = 'collecting');
        v_held := v_held + (v_is_group AND NOT p_is_paid)::integer;
    END IF;
    IF v_held >= v_release.per_member THEN
        RETURN ('limit_reached', NULL, NULL, v_release.per_member, NULL, NULL)::benefits_take;
    END IF;
    IF v_release.has_bundles THEN
        v_rival := benefits_bundle_rival(v_release.benefit_id, p_member, v_now);
        IF v_rival IS NOT NULL THEN
            RETURN ('already_chosen', v_rival, NULL, NULL, NULL, NULL)::benefits_take;
        END IF;
    END IF;

    IF v_release.has_quotas THEN
        PERFORM 1
        FROM benefits_quotas_of(v_release.benefit_id, p_release, p_member, v_release.wallet_id,
                                v_release.time_zone, v_release.person_token, v_now, p_tiers)
        WHERE is_full;
        IF FOUND THEN
            RETURN ('quota_full', NULL, NULL, NULL, NULL, NULL)::benefits_take;
        END IF;
    END IF;
    IF v_release.budget_id IS NOT NULL THEN
        PERFORM 1
        FROM benefits_budget
        WHERE id = v_release.budget_id AND currency = v_release.unit_cost_currency
          AND spent + v_release.unit_cost <= amount;
        IF NOT FOUND THEN
            RETURN ('budget_exhausted', NULL, NULL, NULL, NULL, NULL)::benefits_take;
        END IF;
    END IF;
    v_price := CASE v_release.mode WHEN 'credits' THEN 0 ELSE v_release.price_credits END;
    IF v_release.has_prices AND v_release.mode <> 'credits' THEN
        v_price := benefits_price_for(
            v_release.benefit_id, p_member, v_release.wallet_id, v_price, p_tiers);
    END IF;
    IF v_price <> p_price THEN
        RETURN ('price_changed', NULL, NULL, NULL, NULL, NULL)::benefits_take;
    END IF;
    IF p_is_paid THEN
        v_price := 0;  -- By others, in this very transaction: nothing is left for its owner.
    END IF;

    -- A storm on an empty release ends here, without a write.
    IF NOT v_release.has_range AND NOT benefits_has_slot(p_release, p_member, v_now) THEN
        RETURN ('sold_out', NULL, NULL, NULL, NULL, NULL)::benefits_take;
    END IF;

    IF v_price > 0 THEN
        IF v_release.mode = 'provider' THEN
            v_paid := ledger.hold(p_member, p_op, v_price, p_counter,
                                  'benefit', p_public_id, NULL);
        ELSE
            v_paid := ledger.spend(p_member, p_op, v_price, p_counter,
                                   'benefit', p_public_id);
        END IF;
        IF v_paid.code <> 'ok' THEN
            RETURN ('ledger_refused', NULL, NULL, NULL, v_paid.code, v_paid.available)::benefits_take;
        END IF;
    END IF;

    IF v_release.has_quotas THEN
        FOR v_quota IN
            SELECT * FROM benefits_quotas_of(
                v_release.benefit_id, p_release, p_member, v_release.wallet_id,
                v_release.time_zone, v_release.person_token, v_now, p_tiers)
        LOOP
            v_use := benefits_count_in_window(
                v_quota.quota_id, v_quota.holder, v_quota.window_key, v_quota.allowed,
                v_now + v_quota.pause, v_now);
            IF v_use IS NULL THEN
                RAISE EXCEPTION USING ERRCODE = 'ZN004', MESSAGE = 'a limit was used up meanwhile';
            END IF;
            v_uses := v_uses || v_use;
            v_frees_at := v_frees_at || (v_now + v_quota.pause);
        END LOOP;
    END IF;
    IF v_release.budget_id IS NOT NULL AND NOT benefits_spend_budget(
        v_release.budget_id, v_release.unit_cost, v_release.unit_cost_currency) THEN
        RAISE EXCEPTION USING ERRCODE = 'ZN005', MESSAGE = 'the budget was used up meanwhile';
    END IF;

    -- A slot held for this member comes first; once its time is over it is not theirs any more.
    IF v_release.has_offer AND v_is_group = p_is_paid THEN
        UPDATE benefits_waitlistentry
        SET state = 'claimed', ended_at = v_now
        WHERE release_id = p_release AND member_id = p_member
          AND state = 'offered' AND offered_until > v_now;
        IF FOUND THEN
            DELETE FROM benefits_returnedslot
            WHERE release_id = p_release AND offered_to_id = p_member
            RETURNING slot INTO STRICT v_slot;
        END IF;
    END IF;
    IF v_slot IS NULL THEN
        v_slot := benefits_next_slot(p_release, p_op, v_now);
    END IF;
    IF v_slot IS NULL THEN
        IF v_price = 0 AND NOT v_release.has_quotas AND v_release.budget_id IS NULL THEN
            RETURN ('sold_out', NULL, NULL, NULL, NULL, NULL)::benefits_take;
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'ZN002', MESSAGE = 'the last slot is gone';
    END IF;

    IF v_release.mode = 'codes' THEN
        -- STRICT: a slot on sale without its code is a fault of ours, never a claim.
        SELECT expires_on INTO STRICT v_code_ends_on
        FROM benefits_code
        WHERE release_id = p_release AND slot = v_slot;
    END IF;
    v_state := CASE v_release.mode
        WHEN 'provider' THEN 'reserved' WHEN 'credits' THEN 'redeemed' ELSE 'granted' END;

    -- Whoever paid may have waited for another claim's payment: it is there to be seen by now.
    IF v_release.per_member > 1 OR v_price > 0 THEN
        SELECT coalesce(array_agg(candidate.number ORDER BY candidate.number), '{}') INTO v_nths
        FROM generate_series(1, v_release.per_member) AS candidate (number)
        WHERE NOT EXISTS (
            SELECT 1 FROM benefits_claim claim
            WHERE claim.release_id = p_release AND claim.member_id = p_member
              AND claim.nth = candidate.number
              AND claim.counts_to_limit AND (claim.holds_slot OR claim.state = 'gifted')
        );
    END IF;
    -- Insert first, ask afterwards: two claims of one instant may both have counted the same.
    FOREACH v_nth IN ARRAY v_nths LOOP
        INSERT INTO benefits_claim (
            public_id, member_id, release_id, benefit_id, terms_id, slot, nth, op_id, mode, state,
            holds_slot, price_credits, per_member, livemode, provider_status, next_attempt_at,
            attempts, created_at, granted_at, redeemed_at, valid_from, valid_until, updated_at,
            failure_code, partner_id, external_id, metadata, window_count, budget_cost,
            revealed_at
        ) VALUES (
            p_public_id, p_member, p_release, v_release.benefit_id, v_release.terms_id, v_slot,
            v_nth, p_op, v_release.mode, v_state, true, v_price,
            v_release.per_member, v_release.livemode, '',
            CASE v_state WHEN 'reserved' THEN v_now END, 0, v_now,
            CASE WHEN v_state <> 'reserved' THEN v_now END,
            CASE v_state WHEN 'redeemed' THEN v_now END,
            CASE v_state WHEN 'granted' THEN benefits_valid_from(
                v_now, v_release.time_zone, v_release.usable_after_days, v_release.usable_from) END,
            CASE v_state WHEN 'granted' THEN benefits_valid_until(
                v_now, v_release.time_zone, v_release.valid_days, v_release.usable_until, v_code_ends_on) END,
            v_now, '', p_partner, p_external, p_metadata, cardinality(v_uses),
            CASE WHEN v_release.budget_id IS NOT NULL THEN v_release.unit_cost ELSE 0 END,
            CASE WHEN p_reveals AND v_release.mode = 'codes' THEN v_now END
        )
        ON CONFLICT DO NOTHING
        RETURNING id INTO v_claim;
        EXIT WHEN v_claim IS NOT NULL;
    END LOOP;
    IF v_claim IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'ZN001', MESSAGE = 'another claim was first';
    END IF;

    IF v_release.has_quotas THEN
        INSERT INTO benefits_quotacount (claim_id, use_id, frees_at)
        SELECT v_claim, counted.use_id, counted.frees_at
        FROM unnest(v_uses, v_frees_at) AS counted (use_id, frees_at);
    END IF;
    IF v_release.budget_id IS NOT NULL THEN
        PERFORM benefits_record_cost(v_claim, v_release.budget_id, v_release.unit_cost);
    END IF;

    IF v_release.mode = 'credits' THEN
        v_paid := ledger.earn(
            p_member, p_op, (v_release.detail ->> 'credits')::integer,
            ((v_now AT TIME ZONE v_release.time_zone) + interval '12 months')::date, 0::smallint,
            p_pack_counter, 'benefit', p_public_id, v_now);
        IF v_paid.code <> 'ok' THEN
            RAISE EXCEPTION USING ERRCODE = 'ZN003', MESSAGE = v_paid.code;
        END IF;
    END IF;

    IF v_release.mode = 'draw' THEN
        PERFORM benefits_enter_by_ticket(v_draw, p_member, v_claim, p_op, v_now);
    END IF;

    IF p_reveals AND v_release.mode = 'codes' THEN
        INSERT INTO benefits_claimevent (claim_id, at, actor, cause, from_state, to_state)
        VALUES (v_claim, v_now, p_actor, 'claim', '', v_state),
               (v_claim, v_now, p_actor, 'reveal', v_state, v_state);
    ELSE
        INSERT INTO benefits_claimevent (claim_id, at, actor, cause, from_state, to_state)
        VALUES (v_claim, v_now, p_actor, 'claim', '', v_state);
    END IF;
    RETURN ('ok', v_claim, NULL, NULL, NULL, NULL)::benefits_take;
END
$$;
