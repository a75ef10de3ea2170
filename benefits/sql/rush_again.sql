-- A code that was shown with its claim, shown once more to the same operation: as `reveal` does, in
-- one round trip, and with its line in the claim's story. Answers as `benefits_rush_claim` does
-- when it claims, with `ok` and the claim's own public id.
--
-- No row when the session is not open, has been still for so long that its end has to be moved, or
-- belongs to somebody who may not act; when the release is another than it was; and when anything
-- has become of the claim since, so that its panel would be another.
--
-- Locks the claim, as whatever else may become of it does.
DROP FUNCTION IF EXISTS benefits_rush_again(bytea, interval, bigint, text, bigint, uuid, integer);
CREATE FUNCTION benefits_rush_again(
    p_session bytea,
    p_refresh interval,
    p_release bigint,
    p_version text,
    p_rule bigint,
    p_op uuid,
    p_price integer
) RETURNS TABLE (
    public_id text,
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
LANGUAGE plpgsql ROWS 1
SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    v_now constant timestamptz := zone_now();
    v_who record;
    v_claim record;
BEGIN
    SELECT member.* INTO v_who
    FROM benefits_at_door(p_session, p_refresh, v_now) member
    JOIN benefits_offered offered ON offered.release_id = p_release
    WHERE offered.version = p_version AND offered.rule_id IS NOT DISTINCT FROM p_rule
      AND offered.bundles IS NULL;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT claim.id, claim.public_id, claim.slot, claim.price_credits, claim.valid_from,
           claim.valid_until, claim.created_at
    INTO v_claim
    FROM benefits_claim claim
    WHERE claim.member_id = v_who.member_id AND claim.op_id = p_op
      AND claim.release_id = p_release AND claim.price_credits = p_price
      AND claim.mode = 'codes' AND claim.state = 'granted'
      AND claim.revealed_at = claim.created_at AND claim.updated_at = claim.created_at
      AND (claim.valid_from IS NULL OR claim.valid_from = claim.created_at
           OR claim.valid_from > v_now)
      AND (claim.valid_until IS NULL OR claim.valid_until > v_now)
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    INSERT INTO benefits_claimevent (claim_id, at, actor, cause, from_state, to_state)
    VALUES (v_claim.id, v_now, 'member:' || v_who.public_id, 'reveal', 'granted', 'granted');
    RETURN QUERY
    SELECT v_claim.public_id::text, 'ok'::text, v_who."position"::text, v_who.language::text,
           v_who.country::text, v_who.time_zone::text, NULL::text, v_claim.price_credits::integer,
           v_claim.valid_until::timestamptz,
           nullif(v_claim.valid_from, v_claim.created_at)::timestamptz, own_code.slot::integer,
           own_code.sealed, own_code.redeem_url_sealed, batch.key_number::smallint,
           batch.key_sealed, batch.old_key_sealed
    FROM benefits_code own_code
    JOIN benefits_codebatch batch ON batch.id = own_code.batch_id
    WHERE own_code.release_id = p_release AND own_code.slot = v_claim.slot;
END
$$;
