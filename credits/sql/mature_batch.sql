-- Earn what has matured, up to `p_limit` promises; answers the members of those that are settled, once
-- for each. A frozen account earns too, since a purchase is owed; a closed one does not, and its
-- promise is canceled. One that cannot take it for another reason does not stop the others: it is
-- asked again after an hour.
CREATE OR REPLACE FUNCTION ledger.mature_batch(p_limit int) RETURNS SETOF bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    d record;
BEGIN
    WITH due AS MATERIALIZED (
        SELECT * FROM ledger.pending_earn
        WHERE state = 0 AND matures_at <= public.zone_now()
        ORDER BY matures_at LIMIT p_limit FOR UPDATE SKIP LOCKED
    ), sorted AS (
        SELECT * FROM due ORDER BY member_id, op_id
    )
    SELECT array_agg(member_id) AS members, array_agg(op_id) AS ops,
           array_agg(amount - taken) AS amounts, array_agg(until) AS untils,
           array_agg(funding) AS fundings, array_agg(counter) AS counters,
           array_agg(reason) AS reasons, array_agg(related) AS relateds,
           array_agg(occurred_at) AS occurred_ats, array_agg(NULL::timestamptz) AS posted_ats
    INTO d FROM sorted;
    IF d.members IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH earned AS MATERIALIZED (
        SELECT e.code, d.members[e.place] AS member, d.ops[e.place] AS op
        FROM ledger.earn_batch(
            d.members, d.ops, d.amounts, d.untils, d.fundings, d.counters, d.reasons, d.relateds,
            d.occurred_ats, d.posted_ats, true
        ) e
    ), settled AS (
        UPDATE ledger.pending_earn p
        SET state = CASE
                WHEN e.code IN ('ok', 'replayed') THEN 1 WHEN e.code = 'closed' THEN 2 ELSE 0
            END,
            resolved_at = CASE
                WHEN e.code IN ('ok', 'replayed', 'closed') THEN public.zone_now()
            END,
            matures_at = CASE
                WHEN e.code IN ('ok', 'replayed', 'closed') THEN p.matures_at
                ELSE public.zone_now() + interval '1 hour'
            END
        FROM earned e WHERE p.member_id = e.member AND p.op_id = e.op
        RETURNING p.member_id, p.state
    )
    SELECT member_id FROM settled WHERE state <> 0 ORDER BY member_id;
END
$$;
