-- One claim and what its door shows of it, in one round trip: `benefits_take_claim`, then the claim
-- that this operation made, now or at an earlier try. Null when it made none.
--
-- With p_reveals a code in hand is shown in the same commit that grants it: the moment is sealed
-- and the reveal is an event, exactly as when the member asks for it later. It is written with the
-- claim: seventeen indexes make a second version of the row cost as much as the first.
CREATE OR REPLACE FUNCTION benefits_claim_now(
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
    p_price integer,
    p_tiers text[],
    p_reveals boolean
) RETURNS TABLE (taken benefits_take, made benefits_claim)
LANGUAGE plpgsql AS $$
BEGIN
    -- What is given out by lot is claimed by those who were drawn, until the draw is done.
    IF EXISTS (
        SELECT 1 FROM benefits_fairdraw draw
        WHERE draw.release_id = p_release AND draw.state IN ('open', 'closed', 'drawing')
          AND NOT EXISTS (
              SELECT 1 FROM benefits_drawentry entry
              WHERE entry.draw_id = draw.id AND entry.member_id = p_member AND entry.state = 'won')
    ) THEN
        taken := ('drawn_only', NULL, NULL, NULL, NULL, NULL)::benefits_take;
        RETURN NEXT;
        RETURN;
    END IF;
    taken := benefits_take_claim(
        p_member, p_release, p_op, p_public_id, p_actor, p_counter, p_pack_counter, p_partner,
        p_external, p_metadata, p_price, p_tiers, p_reveals);
    SELECT * INTO made FROM benefits_claim WHERE member_id = p_member AND op_id = p_op;
    RETURN NEXT;
END
$$;
