-- Draw tickets: the claim of one is an entry in its draw, made and stored by the claim itself.

-- The draw that a ticket enters now; no row when it takes no entries, and when nothing can be won
-- there any more. With opens_at set it takes them from then on.
--
-- Locked in the share that entries have: others enter meanwhile, and the close comes after this
-- commit and sees the entry. Ask before anything of the member's is locked: whoever serves a
-- draw has it first, too.
CREATE OR REPLACE FUNCTION benefits_enterable_draw(p_draw text)
RETURNS TABLE (draw_id bigint, opens_at timestamptz)
LANGUAGE plpgsql ROWS 1 AS $$
DECLARE
    v_draw record;
BEGIN
    -- Looked at first without a lock: a draw that is being served is waited for by nobody.
    SELECT draw.id, draw.entries_open_at, draw.entries_close_at INTO v_draw
    FROM benefits_fairdraw draw
    JOIN benefits_release prize ON prize.id = draw.release_id
    JOIN benefits_benefit benefit ON benefit.id = prize.benefit_id
    WHERE draw.public_id = p_draw AND draw.state = 'open' AND draw.entry_by = 'ticket'
      AND draw.entries_close_at > zone_now()
      AND benefit.status <> 'ended' AND prize.stock > 0
      AND (prize.closes_at IS NULL OR prize.closes_at > zone_now())
      AND (benefit.claimable_until IS NULL OR benefit.claimable_until > zone_now())
      AND (benefit.visible_until IS NULL OR benefit.visible_until > zone_now());
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF v_draw.entries_open_at > zone_now() THEN
        RETURN QUERY SELECT v_draw.id, v_draw.entries_open_at;
        RETURN;
    END IF;
    PERFORM 1 FROM benefits_fairdraw draw
    WHERE draw.id = v_draw.id AND draw.state = 'open'
    FOR KEY SHARE;
    IF FOUND AND v_draw.entries_close_at > zone_now() THEN
        RETURN QUERY SELECT v_draw.id, NULL::timestamptz;
    END IF;
END
$$;

-- The one entry of a ticket's claim. Its public id is random, for it stands in a list that everyone
-- reads; the operation it would claim by carries the time of the ticket's own.
CREATE OR REPLACE FUNCTION benefits_enter_by_ticket(
    p_draw bigint, p_member bigint, p_claim bigint, p_op uuid, p_at timestamptz
) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO benefits_drawentry (
        draw_id, member_id, ticket_id, public_id, op_id, entered_at, state, reason
    )
    SELECT p_draw, p_member, p_claim,
           'ent_' || string_agg(
               substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', (get_byte(dice.rolled, place) & 31) + 1, 1),
               ''),
           (substr(p_op::text, 1, 19) || substr(gen_random_uuid()::text, 20))::uuid,
           p_at, 'entered', ''
    FROM (SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) AS rolled) dice,
         generate_series(0, 25) AS letters (place)
$$;

-- The list of entries is what was published: none comes and none goes once entries are closed.
CREATE OR REPLACE FUNCTION benefits_guard_entries() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    v_entry benefits_drawentry;
BEGIN
    IF TG_OP = 'DELETE' THEN
        v_entry := OLD;
    ELSE
        v_entry := NEW;
    END IF;
    PERFORM 1 FROM benefits_fairdraw draw
    WHERE draw.id = v_entry.draw_id AND draw.state = 'open'
    FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'entries of this draw are closed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN v_entry;
END
$$;
CREATE OR REPLACE TRIGGER guard_entries BEFORE INSERT OR DELETE ON benefits_drawentry
    FOR EACH ROW EXECUTE FUNCTION benefits_guard_entries();
