-- One claim and what its door shows of it, in one round trip: `benefits_take_claim`, then the claim
-- that this operation made, now or at an earlier try, and the code of one that is shown. Null when
-- it made none.
--
-- With p_reveals a code in hand is shown in the same commit that grants it: the moment is sealed
-- and the reveal is an event, exactly as when the member asks for it later. It is written with the
-- claim: a second version of the row would cost as much as the first.
--
-- ROWS 1, and the code is looked up in here: a planner that expects a thousand rows of a function
-- joins them to the codes by reading every code there is.
DROP FUNCTION IF EXISTS benefits_claim_now(
    bigint, bigint, uuid, text, text, smallint, smallint, bigint, text, jsonb, integer, text[],
    boolean);
CREATE FUNCTION benefits_claim_now(
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
) RETURNS TABLE (
    taken benefits_take, made benefits_claim, code benefits_code, batch benefits_codebatch
)
LANGUAGE plpgsql ROWS 1
-- Planned while a table is small, a statement would read all of it, and go on doing so in the
-- middle of the rush that fills the table.
SET enable_seqscan = off AS $$
DECLARE
    v_taken benefits_take;
BEGIN
    v_taken := benefits_take_claim(
        p_member, p_release, p_op, p_public_id, p_actor, p_counter, p_pack_counter, p_partner,
        p_external, p_metadata, p_price, p_tiers, p_reveals);
    RETURN QUERY
    SELECT v_taken, claim, own_code, own_batch
    FROM (SELECT 1) one
    LEFT JOIN benefits_claim claim ON claim.member_id = p_member AND claim.op_id = p_op
    LEFT JOIN benefits_code own_code
        ON claim.revealed_at IS NOT NULL
       AND own_code.release_id = claim.release_id AND own_code.slot = claim.slot
    LEFT JOIN benefits_codebatch own_batch ON own_batch.id = own_code.batch_id;
END
$$;
