-- Claims of one member on a choice take turns, so that each sees what the one before it took. Held
-- until the commit; taken before the account, always in the order of the bundles' keys.
CREATE OR REPLACE FUNCTION benefits_lock_bundles(p_benefit bigint, p_member bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_bundle bigint;
BEGIN
    FOR v_bundle IN
        SELECT bundle.id
        FROM benefits_bundleitem item
        JOIN benefits_bundle bundle ON bundle.id = item.bundle_id
        WHERE item.benefit_id = p_benefit AND bundle.is_active AND bundle.kind IN ('pick', 'apart')
        ORDER BY bundle.id
    LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('benefits_bundle:' || v_bundle, p_member));
    END LOOP;
END
$$;

-- The first claim of this member that leaves no right to this benefit, or null. Of a choice every
-- claim counts; where benefits exclude each other, only those of the others, by benefit.
CREATE OR REPLACE FUNCTION benefits_bundle_rival(
    p_benefit bigint, p_member bigint, p_now timestamptz
) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT min(claim.id)
    FROM benefits_bundleitem item
    JOIN benefits_bundle bundle ON bundle.id = item.bundle_id
    JOIN benefits_bundleitem other ON other.bundle_id = bundle.id
    JOIN benefits_claim claim
      ON claim.benefit_id = other.benefit_id AND claim.member_id = p_member
     AND claim.counts_to_limit AND (claim.holds_slot OR claim.state = 'gifted')
    WHERE item.benefit_id = p_benefit AND bundle.is_active AND bundle.kind IN ('pick', 'apart')
      AND (bundle.kind = 'pick' OR other.benefit_id <> p_benefit)
      AND (bundle.within_days IS NULL
           OR claim.created_at > p_now - make_interval(days => bundle.within_days))
    GROUP BY bundle.id
    HAVING CASE bundle.kind WHEN 'pick' THEN count(*)
               ELSE count(DISTINCT claim.benefit_id) END >= bundle.picks
    ORDER BY bundle.id
    LIMIT 1
$$;
