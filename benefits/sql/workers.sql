-- Up to p_limit waiting claims that are due and nobody's, oldest first, now ours for p_lease.
--
-- The batch is chosen in a materialised step: inside a plain sub-select the planner may run the
-- locking scan more than once and take more rows than asked for.
CREATE FUNCTION benefits_lease_claims(p_limit integer, p_lease interval)
RETURNS TABLE (claim_id bigint, attempts smallint)
LANGUAGE sql AS $$
    WITH moment AS MATERIALIZED (SELECT zone_now() AS at),
    due AS MATERIALIZED (
        SELECT claim.id
        FROM benefits_claim claim, moment
        WHERE claim.state = 'reserved'
          AND claim.next_attempt_at <= moment.at
          AND (claim.lease_until IS NULL OR claim.lease_until <= moment.at)
        ORDER BY claim.next_attempt_at, claim.id
        LIMIT p_limit
        FOR UPDATE OF claim SKIP LOCKED
    )
    UPDATE benefits_claim claim
    SET lease_until = moment.at + p_lease, attempts = claim.attempts + 1, updated_at = moment.at
    FROM due, moment
    WHERE claim.id = due.id
    RETURNING claim.id, claim.attempts
$$;

-- Write down the end of up to p_limit claims whose end has come. Their end held before this: it
-- only settles the books, so it may be late, killed or run twice. Returns how many it settled.
CREATE FUNCTION benefits_expire_claims(p_limit integer, p_actor text) RETURNS integer
LANGUAGE sql AS $$
    WITH moment AS MATERIALIZED (SELECT zone_now() AS at),
    due AS MATERIALIZED (
        SELECT claim.id
        FROM benefits_claim claim, moment
        WHERE claim.state = 'granted' AND claim.valid_until <= moment.at
        ORDER BY claim.valid_until
        LIMIT p_limit
        FOR UPDATE OF claim SKIP LOCKED
    ),
    settled AS (
        UPDATE benefits_claim claim
        SET state = 'expired', ended_at = claim.valid_until, updated_at = moment.at
        FROM due, moment
        WHERE claim.id = due.id
        RETURNING claim.id
    ),
    told AS (
        INSERT INTO benefits_claimevent (claim_id, at, actor, cause, from_state, to_state)
        SELECT settled.id, moment.at, p_actor, 'expire', 'granted', 'expired'
        FROM settled, moment
        RETURNING 1
    )
    SELECT count(*)::integer FROM told
$$;
