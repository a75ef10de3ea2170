-- Claims of several members of a plain release, in one statement and one commit.
--
-- Plain: a code each, one a member, at no price, and nothing that counts, limits or hides it.
-- Answers with a row under 0 that says so, and with one for each who asks, as `benefits_rush_claim`
-- would, or with `alone`. Alone ask, by that function, those without a row too: their session, an
-- offer of theirs or a press of the same operation asks for more than this, or the one counter row
-- that slots come from has too few left. No rows at all: everybody does, because the release is not
-- plain, or not as it was seen.
--
-- Raises ZN001 when one of them cannot be made after all: then nothing was written.
-- Locks in the order of a single claim: the counter row, then the members by their keys.
DROP FUNCTION IF EXISTS benefits_rush_claims(
    interval, bigint, text, bigint, text, bytea[], uuid[], text[], integer[]);
CREATE FUNCTION benefits_rush_claims(
    p_refresh interval,
    p_release bigint,
    p_version text,
    p_rule bigint,
    p_positions text,  -- one a line
    p_sessions bytea[],
    p_ops uuid[],
    p_public_ids text[],
    p_prices integer[]
) RETURNS TABLE (
    nth integer,  -- of those who ask, from 1; 0 before them
    code text,
    "position" text,
    language text,
    country text,
    time_zone text,
    held_id text,
    price_credits integer,
    valid_until timestamptz,
    valid_from timestamptz,  -- when that is still to come
    slot integer,
    sealed bytea,
    redeem_url_sealed bytea,
    key_number smallint,
    key_sealed bytea,
    old_key_sealed bytea
)
LANGUAGE plpgsql
SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    v_now constant timestamptz := zone_now();
    v_plain record;
    v_range bigint;
    v_positions constant text[] := string_to_array(p_positions, E'\n');
BEGIN
    SELECT release.benefit_id, release.livemode, benefit.usable_from, benefit.usable_after_days,
           benefit.usable_until, benefit.valid_days,
           (
               SELECT terms.id
               FROM benefits_benefitterms terms
               WHERE terms.benefit_id = benefit.id
               ORDER BY terms.published_at DESC, terms.id DESC
               LIMIT 1
           ) AS terms_id
    INTO v_plain
    FROM benefits_release release
    JOIN benefits_benefit benefit ON benefit.id = release.benefit_id
    JOIN benefits_offered offered ON offered.release_id = release.id
    WHERE release.id = p_release
      AND offered.version = p_version AND offered.rule_id IS NOT DISTINCT FROM p_rule
      AND release.mode = 'codes' AND release.price_credits = 0 AND release.per_member = 1
      AND benefit.budget_id IS NULL
      AND benefit.status NOT IN ('draft', 'in_review', 'ended', 'paused')
      AND (release.closes_at IS NULL OR release.closes_at > v_now)
      AND (benefit.claimable_until IS NULL OR benefit.claimable_until > v_now)
      AND coalesce(greatest(release.opens_at, benefit.claimable_from, benefit.visible_from)
                   <= v_now, true)
      AND NOT EXISTS (SELECT FROM benefits_bundleitem item WHERE item.benefit_id = benefit.id)
      AND NOT EXISTS (SELECT FROM benefits_fairdraw draw WHERE draw.release_id = release.id)
      AND NOT EXISTS (SELECT FROM benefits_quota quota
                      WHERE quota.benefit_id = benefit.id AND quota.is_active)
      AND NOT EXISTS (SELECT FROM benefits_pricerow price WHERE price.benefit_id = benefit.id)
      AND NOT EXISTS (SELECT FROM benefits_openinghours hours
                      WHERE hours.benefit_id = benefit.id AND hours.is_active);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    nth := 0;
    code := 'plain';
    RETURN NEXT;

    SELECT counter.id INTO v_range
    FROM benefits_slotcounter counter
    WHERE counter.release_id = p_release
      AND counter.next_slot <= counter.end_slot
      AND (counter.sells_until IS NULL OR counter.sells_until > v_now)
    ORDER BY counter.sells_until NULLS LAST,
             (counter.number + (uuid_hash(p_ops[1]) & 15)) % 16,
             counter.number
    LIMIT 1;

    FOR nth, code, "position", language, country, time_zone, held_id, price_credits, valid_until,
        valid_from, slot, sealed, redeem_url_sealed, key_number, key_sealed, old_key_sealed IN
    WITH seated AS MATERIALIZED (
        SELECT asked.nth, asked.op_id, asked.public_id, member.member_id, member.public_id AS actor,
               member.language, member.country, member.time_zone, member."position", own.held_id,
               who.may_have_one,
               -- Of those who may, in the order in which all such statements lock them.
               count(*) FILTER (WHERE who.may_have_one)
                   OVER (ORDER BY member.member_id, asked.nth) AS place
        FROM unnest(p_sessions, p_ops, p_public_ids, p_prices)
            WITH ORDINALITY AS asked (token_hash, op_id, public_id, price, nth)
        CROSS JOIN LATERAL benefits_at_door(asked.token_hash, p_refresh, v_now) member
        CROSS JOIN LATERAL (
            SELECT max(claim.public_id) AS held_id
            FROM benefits_claim claim
            WHERE claim.release_id = p_release AND claim.member_id = member.member_id
              AND claim.counts_to_limit AND (claim.holds_slot OR claim.state = 'gifted')
        ) own
        CROSS JOIN LATERAL (
            SELECT own.held_id IS NULL AND member."position" = ANY (v_positions) AS may_have_one
        ) who
        WHERE asked.price = 0
          AND NOT EXISTS (
              SELECT FROM benefits_claim made
              WHERE made.member_id = member.member_id AND made.op_id = asked.op_id)
          AND NOT EXISTS (
              SELECT FROM benefits_returnedslot offered
              WHERE offered.release_id = p_release AND offered.offered_to_id = member.member_id)
    ), taken AS (
        UPDATE benefits_slotcounter counter
        SET next_slot = counter.next_slot + wanted.number
        FROM (SELECT max(seated.place)::integer AS number FROM seated) wanted
        WHERE counter.id = v_range AND counter.next_slot + wanted.number - 1 <= counter.end_slot
          AND wanted.number > 0
        RETURNING counter.next_slot - wanted.number AS first
    ), made AS (
        INSERT INTO benefits_claim (
            public_id, member_id, release_id, benefit_id, terms_id, slot, nth, op_id, mode, state,
            holds_slot, price_credits, per_member, livemode, provider_status,
            attempts, created_at, granted_at, valid_from, valid_until, updated_at,
            failure_code, window_count, budget_cost, revealed_at
        )
        SELECT seated.public_id, seated.member_id, p_release, v_plain.benefit_id, v_plain.terms_id,
               code.slot, 1, seated.op_id, 'codes', 'granted', true, 0, 1, v_plain.livemode, '',
               0, v_now, v_now,
               benefits_valid_from(v_now, seated.time_zone, v_plain.usable_after_days,
                                   v_plain.usable_from),
               benefits_valid_until(v_now, seated.time_zone, v_plain.valid_days,
                                    v_plain.usable_until, code.expires_on),
               v_now, '', 0, 0, v_now
        FROM taken
        CROSS JOIN seated
        JOIN benefits_code code
            ON code.release_id = p_release AND code.slot = taken.first + seated.place - 1
        WHERE seated.may_have_one
        ORDER BY seated.place
        ON CONFLICT DO NOTHING
        RETURNING id, public_id, slot, valid_from, valid_until
    ), told AS (
        INSERT INTO benefits_claimevent (claim_id, at, actor, cause, from_state, to_state)
        SELECT made.id, v_now, 'member:' || seated.actor, step.cause, step.from_state, 'granted'
        FROM made
        JOIN seated ON seated.public_id = made.public_id
        CROSS JOIN (VALUES (1, 'claim', ''), (2, 'reveal', 'granted'))
            AS step (number, cause, from_state)
        ORDER BY seated.place, step.number
    )
    SELECT seated.nth::integer,
           CASE WHEN made.id IS NOT NULL THEN 'ok'
                WHEN seated.held_id IS NOT NULL THEN 'limit_reached'
                WHEN NOT seated.may_have_one THEN 'judge'
                -- Another claim was first, or a slot on sale has no code.
                WHEN EXISTS (SELECT FROM taken) THEN 'lost'
                ELSE 'alone' END,
           seated."position", seated.language, seated.country, seated.time_zone, seated.held_id, 0,
           made.valid_until, nullif(made.valid_from, v_now), made.slot, code.sealed,
           code.redeem_url_sealed, batch.key_number, batch.key_sealed, batch.old_key_sealed
    FROM seated
    LEFT JOIN made ON made.public_id = seated.public_id
    LEFT JOIN benefits_code code ON code.release_id = p_release AND code.slot = made.slot
    LEFT JOIN benefits_codebatch batch ON batch.id = code.batch_id
    LOOP
        IF code = 'lost' THEN
            RAISE EXCEPTION USING ERRCODE = 'ZN001', MESSAGE = 'not all of these claims can be made';
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
