-- The line of a sold-out release. Whoever touches the head of a line or asks whether one is needed
-- does so one after another: otherwise somebody could join in the instant in which a slot returns
-- to nobody, and wait beside a free slot. The lock ends with the transaction.
CREATE OR REPLACE FUNCTION benefits_lock_line(p_release bigint) RETURNS void
LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('benefits_waitlist', p_release))
$$;

-- Until when an offer made now holds.
CREATE OR REPLACE FUNCTION benefits_offer_end(
    p_release bigint, p_sells_until timestamptz, p_now timestamptz
) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT least(p_now + interval '2 hours', p_sells_until, release.closes_at)
    FROM benefits_release release
    WHERE release.id = p_release
$$;

-- The next in line gets an offer until p_until; null when nobody waits.
CREATE OR REPLACE FUNCTION benefits_call_next(
    p_release bigint, p_until timestamptz, p_now timestamptz
) RETURNS bigint
LANGUAGE sql AS $$
    UPDATE benefits_waitlistentry
    SET state = 'offered', offered_at = p_now, offered_until = p_until
    WHERE id = (
        SELECT waiting.id
        FROM benefits_waitlistentry waiting
        JOIN members_member member ON member.id = waiting.member_id AND member.status = 'active'
        WHERE waiting.release_id = p_release AND waiting.state = 'waiting'
        ORDER BY waiting.id
        LIMIT 1
        FOR UPDATE OF waiting
    )
    RETURNING member_id
$$;

-- A slot that comes back is offered in the same commit when anyone waits.
CREATE OR REPLACE FUNCTION benefits_offer_returned_slot() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    v_now constant timestamptz := zone_now();
    v_until timestamptz;
BEGIN
    PERFORM benefits_lock_line(NEW.release_id);
    v_until := benefits_offer_end(NEW.release_id, NEW.sells_until, v_now);
    IF NEW.offered_to_id IS NULL AND v_until > v_now THEN
        NEW.offered_to_id := benefits_call_next(NEW.release_id, v_until, v_now);
        NEW.offered_until := CASE WHEN NEW.offered_to_id IS NOT NULL THEN v_until END;
    END IF;
    RETURN NEW;
END
$$;
DROP TRIGGER IF EXISTS offer_returned_slot ON benefits_returnedslot;
CREATE TRIGGER offer_returned_slot BEFORE INSERT ON benefits_returnedslot
    FOR EACH ROW EXECUTE FUNCTION benefits_offer_returned_slot();

-- A member waits for a release from now on: 'ok', 'already' in line, or 'not_sold_out'.
CREATE OR REPLACE FUNCTION benefits_join_line(p_release bigint, p_member bigint) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_now constant timestamptz := zone_now();
BEGIN
    PERFORM benefits_lapse_line(p_release, 100, v_now);
    IF benefits_has_slot(p_release, p_member, v_now) THEN
        RETURN 'not_sold_out';
    END IF;
    INSERT INTO benefits_waitlistentry (release_id, member_id, state, joined_at)
    VALUES (p_release, p_member, 'waiting', v_now)
    ON CONFLICT DO NOTHING;
    RETURN CASE WHEN FOUND THEN 'ok' ELSE 'already' END;
END
$$;

-- An open place in line ends as p_state. A slot that was held for it goes to the next one, or
-- back to everybody. False when there was no such place.
CREATE OR REPLACE FUNCTION benefits_end_place(p_entry bigint, p_state text, p_now timestamptz)
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_entry record;
    v_slot record;
    v_until timestamptz;
    v_next bigint;
BEGIN
    -- The line before its places, as everybody takes them.
    PERFORM benefits_lock_line(release_id) FROM benefits_waitlistentry WHERE id = p_entry;
    UPDATE benefits_waitlistentry
    SET state = p_state, ended_at = p_now
    WHERE id = p_entry
      AND (state = 'offered' OR (state = 'waiting' AND p_state IN ('left', 'lapsed')))
    RETURNING release_id, member_id INTO v_entry;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT id, sells_until INTO v_slot
    FROM benefits_returnedslot
    WHERE release_id = v_entry.release_id AND offered_to_id = v_entry.member_id
    FOR UPDATE;
    IF FOUND THEN
        v_until := benefits_offer_end(v_entry.release_id, v_slot.sells_until, p_now);
        IF v_until > p_now THEN
            v_next := benefits_call_next(v_entry.release_id, v_until, p_now);
        END IF;
        UPDATE benefits_returnedslot
        SET offered_to_id = v_next, offered_until = CASE WHEN v_next IS NOT NULL THEN v_until END
        WHERE id = v_slot.id;
    END IF;
    RETURN true;
END
$$;

-- Offers and holds of one release whose time is over pass on, to the next in line or back to
-- everybody. Whoever reaches for a slot does this first: no unit waits for the sweep.
CREATE OR REPLACE FUNCTION benefits_lapse_line(
    p_release bigint, p_limit integer, p_now timestamptz
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_entry bigint;
    v_count integer := 0;
BEGIN
    PERFORM benefits_lock_line(p_release);
    FOR v_entry IN
        SELECT id
        FROM benefits_waitlistentry
        WHERE release_id = p_release AND state = 'offered' AND offered_until <= p_now
        ORDER BY id
        LIMIT p_limit
        FOR UPDATE
    LOOP
        IF benefits_end_place(v_entry, 'lapsed', p_now) THEN
            v_count := v_count + 1;
        END IF;
    END LOOP;
    RETURN v_count;
END
$$;

-- Offers whose time is over pass on, and lines of releases that have closed are dissolved.
CREATE OR REPLACE FUNCTION benefits_sweep_line(p_limit integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_now constant timestamptz := zone_now();
    v_release bigint;
    v_entry bigint;
    v_count integer := 0;
BEGIN
    FOR v_release IN
        SELECT DISTINCT entry.release_id
        FROM benefits_waitlistentry entry
        WHERE entry.state = 'offered' AND entry.offered_until <= v_now
        ORDER BY entry.release_id
        LIMIT p_limit
    LOOP
        -- A line that somebody works on is not waited for while others are held.
        IF v_count < p_limit AND pg_try_advisory_xact_lock(
            hashtextextended('benefits_waitlist', v_release)
        ) THEN
            v_count := v_count + benefits_lapse_line(v_release, p_limit - v_count, v_now);
        END IF;
    END LOOP;
    FOR v_entry IN
        WITH due AS MATERIALIZED (
            SELECT entry.id
            FROM benefits_waitlistentry entry
            JOIN benefits_release release ON release.id = entry.release_id
            WHERE entry.state = 'waiting' AND release.closes_at <= v_now
            ORDER BY entry.id
            LIMIT greatest(p_limit - v_count, 0)
            FOR UPDATE OF entry SKIP LOCKED
        )
        SELECT id FROM due
    LOOP
        IF benefits_end_place(v_entry, 'lapsed', v_now) THEN
            v_count := v_count + 1;
        END IF;
    END LOOP;
    RETURN v_count;
END
$$;
