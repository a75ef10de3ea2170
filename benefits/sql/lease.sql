-- These claims, which the caller has locked, are now ours for p_lease: one more attempt for each.
CREATE OR REPLACE FUNCTION benefits_lease(p_claims bigint[], p_lease interval)
RETURNS TABLE (claim_id bigint, attempts smallint)
LANGUAGE sql AS $$
    UPDATE benefits_claim claim
    SET lease_until = zone_now() + p_lease, attempts = claim.attempts + 1, updated_at = zone_now()
    WHERE claim.id = ANY (p_claims)
    RETURNING claim.id, claim.attempts
$$;

-- Up to p_limit waiting claims that are due and nobody's, now ours for p_lease, shared out among
-- providers: of each at most p_share, or what p_rooms says for those named in p_providers. Within
-- a provider the oldest goes first, and so it does among what was chosen.
--
-- The releases with waiting claims are found by skipping through the index, so a million claims of
-- a dead provider cost as little to pass as one.
--
-- A claim whose lease lapsed twice is left out: whoever held it died, perhaps of it, and then it
-- would take all the others of its batch along. It is leased alone (benefits_lease_suspect).
CREATE OR REPLACE FUNCTION benefits_lease_fairly(
    p_limit integer, p_lease interval, p_share integer,
    p_providers bigint[], p_rooms integer[]
)
RETURNS TABLE (claim_id bigint, attempts smallint)
LANGUAGE sql AS $$
    WITH RECURSIVE moment AS MATERIALIZED (SELECT zone_now() AS at),
    waiting AS (
        (
            SELECT release_id FROM benefits_claim WHERE state = 'reserved'
            ORDER BY release_id LIMIT 1
        )
        UNION ALL
        SELECT (
            SELECT claim.release_id FROM benefits_claim claim
            WHERE claim.state = 'reserved' AND claim.release_id > waiting.release_id
            ORDER BY claim.release_id LIMIT 1
        )
        FROM waiting
        WHERE waiting.release_id IS NOT NULL
    ),
    rooms AS MATERIALIZED (
        SELECT release.id AS release_id, release.provider_id,
               least(coalesce(given.room, p_share), p_limit) AS room
        FROM waiting
        JOIN benefits_release release ON release.id = waiting.release_id
        LEFT JOIN unnest(p_providers, p_rooms) AS given (provider_id, room)
          ON given.provider_id = release.provider_id
    ),
    found AS MATERIALIZED (
        SELECT due.id, due.next_attempt_at, rooms.provider_id, rooms.room
        FROM rooms, moment, LATERAL (
            SELECT claim.id, claim.next_attempt_at
            FROM benefits_claim claim
            WHERE claim.state = 'reserved' AND claim.release_id = rooms.release_id
              AND claim.next_attempt_at <= moment.at
              AND (
                  claim.lease_until IS NULL
                  OR claim.lease_until <= moment.at AND claim.attempts < 2
              )
            ORDER BY claim.next_attempt_at, claim.id
            LIMIT rooms.room
            FOR UPDATE OF claim SKIP LOCKED
        ) due
    ),
    ranked AS (
        SELECT id, next_attempt_at, room,
               row_number() OVER (PARTITION BY provider_id ORDER BY next_attempt_at, id) AS place
        FROM found
    ),
    chosen AS MATERIALIZED (
        SELECT id FROM ranked WHERE place <= room ORDER BY next_attempt_at, id LIMIT p_limit
    )
    SELECT leased.claim_id, leased.attempts
    FROM benefits_lease(ARRAY(SELECT id FROM chosen), p_lease) leased
$$;

-- One claim whose lease lapsed at least twice, now ours for p_lease; no row when there is none.
--
-- Leases go to the oldest of a release, so whatever lapsed is among the first that are due: a long
-- line of others behind them is not walked.
CREATE OR REPLACE FUNCTION benefits_lease_suspect(p_lease interval)
RETURNS TABLE (claim_id bigint, attempts smallint)
LANGUAGE sql AS $$
    WITH RECURSIVE moment AS MATERIALIZED (SELECT zone_now() AS at),
    waiting AS (
        (
            SELECT release_id FROM benefits_claim WHERE state = 'reserved'
            ORDER BY release_id LIMIT 1
        )
        UNION ALL
        SELECT (
            SELECT claim.release_id FROM benefits_claim claim
            WHERE claim.state = 'reserved' AND claim.release_id > waiting.release_id
            ORDER BY claim.release_id LIMIT 1
        )
        FROM waiting
        WHERE waiting.release_id IS NOT NULL
    ),
    lapsed AS MATERIALIZED (
        SELECT first_due.id
        FROM waiting, moment, LATERAL (
            SELECT claim.id, claim.lease_until, claim.attempts
            FROM benefits_claim claim
            WHERE claim.state = 'reserved' AND claim.release_id = waiting.release_id
              AND claim.next_attempt_at <= moment.at
            ORDER BY claim.next_attempt_at, claim.id
            LIMIT 1000
        ) first_due
        WHERE first_due.lease_until <= moment.at AND first_due.attempts >= 2
    ),
    chosen AS MATERIALIZED (
        SELECT claim.id
        FROM benefits_claim claim, moment
        WHERE claim.id IN (SELECT id FROM lapsed)
          AND claim.state = 'reserved' AND claim.lease_until <= moment.at
        LIMIT 1
        FOR UPDATE OF claim SKIP LOCKED
    )
    SELECT leased.claim_id, leased.attempts
    FROM benefits_lease(ARRAY(SELECT id FROM chosen), p_lease) leased
$$;
