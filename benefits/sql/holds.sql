-- One unit of a release for one member until p_until: theirs to claim, and in nobody else's way
-- afterwards. It is held as an offer of the line is, so that a claim, the sweep and the sums of
-- the stock know it already.
--   ok            v_entry is the place that holds it
--   already_held  one is held for this member, by whomever
--   sold_out      none is left
CREATE OR REPLACE FUNCTION benefits_hold_slot(
    p_release bigint, p_member bigint, p_op uuid, p_until timestamptz,
    OUT v_code text, OUT v_entry bigint, OUT v_until timestamptz
)
LANGUAGE plpgsql AS $$
DECLARE
    v_now constant timestamptz := zone_now();
    v_slot integer;
    v_sells_until timestamptz;
BEGIN
    PERFORM benefits_lapse_line(p_release, 100, v_now);
    INSERT INTO benefits_waitlistentry (
        release_id, member_id, state, joined_at, offered_at, offered_until, told_at
    ) VALUES (p_release, p_member, 'offered', v_now, v_now, p_until, v_now)
    ON CONFLICT DO NOTHING
    RETURNING id INTO v_entry;
    IF v_entry IS NULL THEN
        v_code := 'already_held';
        RETURN;
    END IF;
    v_slot := benefits_next_slot(p_release, p_op, v_now);
    IF v_slot IS NULL THEN
        DELETE FROM benefits_waitlistentry WHERE id = v_entry;
        v_code := 'sold_out';
        v_entry := NULL;
        RETURN;
    END IF;
    SELECT counter.sells_until INTO v_sells_until
    FROM benefits_slotcounter counter
    WHERE counter.release_id = p_release AND counter.end_slot >= v_slot
    ORDER BY counter.end_slot
    LIMIT 1;
    SELECT least(p_until, v_sells_until, release.closes_at) INTO v_until
    FROM benefits_release release WHERE release.id = p_release;
    UPDATE benefits_waitlistentry SET offered_until = v_until WHERE id = v_entry;
    INSERT INTO benefits_returnedslot (
        release_id, slot, offered_to_id, offered_until, sells_until, returned_at
    ) VALUES (p_release, v_slot, p_member, v_until, v_sells_until, v_now);
    v_code := 'ok';
END
$$;

-- The same unit for longer, while it is still held; null when it is not any more.
CREATE OR REPLACE FUNCTION benefits_extend_hold(p_entry bigint, p_until timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql AS $$
DECLARE
    v_now constant timestamptz := zone_now();
    v_until timestamptz;
BEGIN
    UPDATE benefits_waitlistentry entry
    SET offered_until = greatest(
        entry.offered_until, least(p_until, release.closes_at, returned.sells_until))
    FROM benefits_release release, benefits_returnedslot returned
    WHERE entry.id = p_entry AND entry.state = 'offered' AND entry.offered_until > v_now
      AND release.id = entry.release_id
      AND returned.release_id = entry.release_id AND returned.offered_to_id = entry.member_id
    RETURNING entry.offered_until INTO v_until;
    IF v_until IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE benefits_returnedslot returned
    SET offered_until = v_until
    FROM benefits_waitlistentry entry
    WHERE entry.id = p_entry
      AND returned.release_id = entry.release_id AND returned.offered_to_id = entry.member_id;
    RETURN v_until;
END
$$;
