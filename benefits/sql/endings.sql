-- Write down the end of up to p_limit claims whose end has come, and say which. Their end held
-- before this: it only settles the books, so it may be late, killed or run twice.
--
-- The code of a claim in hand that nobody has seen goes back to its release while a member who
-- takes it now would still get its guaranteed life; benefits_let_go knows how.
CREATE FUNCTION benefits_settle_endings(p_limit integer, p_actor text) RETURNS SETOF bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_now constant timestamptz := zone_now();
    v_claim record;
BEGIN
    FOR v_claim IN
        WITH due AS MATERIALIZED (
            SELECT claim.id
            FROM benefits_claim claim
            WHERE claim.state = 'granted' AND claim.valid_until <= v_now
            ORDER BY claim.valid_until
            LIMIT p_limit
            FOR UPDATE OF claim SKIP LOCKED
        ),
        settled AS (
            UPDATE benefits_claim claim
            SET state = 'expired', ended_at = claim.valid_until, updated_at = v_now
            FROM due
            WHERE claim.id = due.id
            RETURNING claim.id, claim.mode, claim.revealed_at, claim.release_id, claim.slot,
                      claim.holds_slot
        ),
        told AS (
            INSERT INTO benefits_claimevent (claim_id, at, actor, cause, from_state, to_state)
            SELECT settled.id, v_now, p_actor, 'expire', 'granted', 'expired'
            FROM settled
            RETURNING 1
        )
        SELECT settled.id,
               settled.mode = 'codes' AND settled.revealed_at IS NULL AND settled.holds_slot
               AND NOT EXISTS (
                   SELECT 1 FROM benefits_redemption used WHERE used.claim_id = settled.id
               ) AND coalesce((
                   SELECT counter.sells_until IS NULL OR counter.sells_until > v_now
                   FROM benefits_slotcounter counter
                   WHERE counter.release_id = settled.release_id
                     AND counter.end_slot >= settled.slot
                   ORDER BY counter.end_slot
                   LIMIT 1
               ), false) AS is_sellable
        FROM settled, (SELECT count(*) FROM told) AS done
        ORDER BY settled.release_id, settled.slot
    LOOP
        IF v_claim.is_sellable THEN
            PERFORM benefits_let_go(v_claim.id, v_now);
        END IF;
        RETURN NEXT v_claim.id;
    END LOOP;
END
$$;
