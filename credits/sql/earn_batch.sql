-- Many earns in one call, one answer per earn by its place in the arrays (from 1).
--
-- Members are taken in rising order over the whole batch, so that two batches cannot deadlock; one
-- member's earns keep the order they came in. Each earn is refused or posted on its own.
-- What is owed (`p_is_owed`: credits for a purchase made) is posted to frozen accounts too.
CREATE FUNCTION ledger.earn_batch(
    p_members bigint[], p_ops uuid[], p_amounts int[], p_untils date[], p_fundings smallint[],
    p_counters smallint[], p_reasons text[], p_relateds text[], p_occurred_ats timestamptz[],
    p_posted_ats timestamptz[], p_is_owed boolean DEFAULT false
) RETURNS TABLE (
    place int, code text, op_id uuid, amount int, available int, held int, debt int, seq int,
    expires_on date, posted_at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    b record;
    r ledger.result;
BEGIN
    -- Before the first row is locked: see `is_good_op`.
    PERFORM ledger.make_partitions(
        (min(at) AT TIME ZONE 'UTC')::date, (max(at) AT TIME ZONE 'UTC')::date
    )
    FROM (SELECT ledger.instant_of(op) AS at FROM unnest(p_ops) op) asked, ledger.partition_span() s
    WHERE at BETWEEN public.zone_now() - interval '36 months' AND public.zone_now() + interval '1 day'
      AND ledger.first_op(at) NOT BETWEEN s.first_op AND s.last_op
    HAVING count(*) > 0;
    FOR b IN
        SELECT * FROM unnest(
            p_members, p_ops, p_amounts, p_untils, p_fundings, p_counters, p_reasons, p_relateds,
            p_occurred_ats, p_posted_ats
        ) WITH ORDINALITY
            u (member, op, amount, until, funding, counter, reason, related, occurred_at, posted_at, place)
        ORDER BY u.member, u.place
    LOOP
        r := ledger.credit(
            1, b.member, b.op, b.amount, b.until, b.funding, b.counter, b.reason, b.related,
            b.occurred_at, b.posted_at, p_is_owed
        );
        place := b.place;
        code := r.code;
        op_id := r.op_id;
        amount := r.amount;
        available := r.available;
        held := r.held;
        debt := r.debt;
        seq := r.seq;
        expires_on := r.expires_on;
        posted_at := r.posted_at;
        RETURN NEXT;
    END LOOP;
END
$$;
