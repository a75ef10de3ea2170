-- Whether this member could have a slot of the release. Reads only.
CREATE OR REPLACE FUNCTION benefits_has_slot(p_release bigint, p_member bigint, p_now timestamptz)
RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT 1
        FROM benefits_slotcounter counter
        WHERE counter.release_id = p_release
          AND counter.next_slot <= counter.end_slot
          AND (counter.sells_until IS NULL OR counter.sells_until > p_now)
    ) OR EXISTS (
        SELECT 1
        FROM benefits_returnedslot returned
        WHERE returned.release_id = p_release
          AND (returned.offered_to_id IS NULL
               OR (returned.offered_to_id = p_member AND returned.offered_until > p_now))
          AND (returned.sells_until IS NULL OR returned.sells_until > p_now)
    ) OR (
        -- Kept for somebody until an instant that is over: everybody's unless somebody waits.
        EXISTS (
            SELECT 1
            FROM benefits_returnedslot lapsed
            WHERE lapsed.release_id = p_release
              AND lapsed.offered_until <= p_now
              AND (lapsed.sells_until IS NULL OR lapsed.sells_until > p_now)
        ) AND NOT EXISTS (
            SELECT 1
            FROM benefits_waitlistentry waiting
            WHERE waiting.release_id = p_release AND waiting.state = 'waiting'
        )
    );
END
$$;

-- The next slot of a release that is held for nobody, or null when there is none left.
--
-- Ranges whose codes end first go first; among equals each operation starts somewhere else, so
-- that claims of one instant meet on different rows. Every range is tried before the answer is
-- "none": an emptied range never fills again (raising the stock adds ranges), so a range that is
-- missing from the loop's snapshot cannot hold a slot.
CREATE OR REPLACE FUNCTION benefits_next_slot(
    p_release bigint, p_op uuid, p_now timestamptz
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_range bigint;
    v_slot integer;
BEGIN
    FOR v_range IN
        SELECT counter.id
        FROM benefits_slotcounter counter
        WHERE counter.release_id = p_release
          AND counter.next_slot <= counter.end_slot
          AND (counter.sells_until IS NULL OR counter.sells_until > p_now)
        ORDER BY counter.sells_until NULLS LAST,
                 (counter.number + (uuid_hash(p_op) & 15)) % 16,
                 counter.number
    LOOP
        UPDATE benefits_slotcounter
        SET next_slot = next_slot + 1
        WHERE id = v_range AND next_slot <= end_slot
        RETURNING next_slot - 1 INTO v_slot;
        IF v_slot IS NOT NULL THEN
            RETURN v_slot;
        END IF;
    END LOOP;

    IF EXISTS (
        SELECT 1 FROM benefits_returnedslot lapsed
        WHERE lapsed.release_id = p_release AND lapsed.offered_until <= p_now
    ) THEN
        PERFORM benefits_lapse_line(p_release, 100, p_now);
    END IF;
    -- Not SKIP LOCKED: a slot in the hands of a claim that may yet be rolled back is not gone,
    -- and "sold out" must be true when it is said.
    DELETE FROM benefits_returnedslot
    WHERE id = (
        SELECT returned.id
        FROM benefits_returnedslot returned
        WHERE returned.release_id = p_release
          AND returned.offered_to_id IS NULL
          AND (returned.sells_until IS NULL OR returned.sells_until > p_now)
        ORDER BY returned.id
        LIMIT 1
        FOR UPDATE
    )
    RETURNING slot INTO v_slot;
    RETURN v_slot;
END
$$;

-- The first instant a claim made at p_at may be used: at once, or with the member's own day p_days
-- later, never before the benefit's own beginning.
CREATE OR REPLACE FUNCTION benefits_valid_from(
    p_at timestamptz, p_zone text, p_days integer, p_beginning timestamptz
) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN greatest(
        p_at,
        (((p_at AT TIME ZONE p_zone)::date + p_days)::timestamp AT TIME ZONE p_zone),
        p_beginning
    );
END
$$;

-- The last instant a claim made at p_at may be used: the end of the member's own day after
-- p_days more, never past the benefit's own end or the last day of its code. Null: no end.
CREATE OR REPLACE FUNCTION benefits_valid_until(
    p_at timestamptz, p_zone text, p_days integer, p_cap timestamptz, p_code_ends_on date
) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN least(
        ((((p_at AT TIME ZONE p_zone)::date + p_days + 1)::timestamp AT TIME ZONE p_zone)
            - interval '1 millisecond'),
        p_cap,
        (((p_code_ends_on + 1)::timestamp AT TIME ZONE p_zone) - interval '1 millisecond')
    );
END
$$;

-- A claim lets go of its slot: back to the release, for the next member. Only for a slot whose
-- code nobody has seen. Safe to repeat: the second time there is nothing to let go.
CREATE OR REPLACE FUNCTION benefits_let_go(p_claim bigint, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_release bigint;
    v_slot integer;
BEGIN
    UPDATE benefits_claim
    SET holds_slot = false
    WHERE id = p_claim AND holds_slot AND revealed_at IS NULL
    RETURNING release_id, slot INTO v_release, v_slot;
    IF v_release IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO benefits_returnedslot (release_id, slot, sells_until, returned_at)
    VALUES (
        v_release,
        v_slot,
        (
            SELECT counter.sells_until
            FROM benefits_slotcounter counter
            WHERE counter.release_id = v_release AND counter.end_slot >= v_slot
            ORDER BY counter.end_slot
            LIMIT 1
        ),
        p_now
    );
    RETURN true;
END
$$;
