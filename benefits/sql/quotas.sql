-- Which window an instant falls into, by the calendar of a zone. Hours are those of UTC: an hour
-- that a clock change repeats is two hours.
CREATE OR REPLACE FUNCTION benefits_window(p_period text, p_at timestamptz, p_zone text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE p_period
        WHEN 'quarter' THEN to_char(p_at AT TIME ZONE p_zone, 'YYYY"-Q"Q')
        WHEN 'month' THEN to_char(p_at AT TIME ZONE p_zone, 'YYYY-MM')
        WHEN 'week' THEN to_char(date_trunc('week', p_at AT TIME ZONE p_zone), 'YYYY-MM-DD')
        WHEN 'day' THEN to_char(p_at AT TIME ZONE p_zone, 'YYYY-MM-DD')
        WHEN 'hour' THEN to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24')
        ELSE ''
    END
$$;

-- When that window ends and the next begins; null: never.
CREATE OR REPLACE FUNCTION benefits_window_end(p_period text, p_at timestamptz, p_zone text)
RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE p_period
        WHEN 'hour' THEN date_trunc('hour', p_at, 'UTC') + interval '1 hour'
        WHEN 'total' THEN NULL
        WHEN 'cooldown' THEN NULL
        WHEN 'quarter' THEN
            (date_trunc('quarter', p_at AT TIME ZONE p_zone) + interval '3 months') AT TIME ZONE p_zone
        ELSE (date_trunc(p_period, p_at AT TIME ZONE p_zone) + ('1 ' || p_period)::interval)
            AT TIME ZONE p_zone
    END
$$;

-- The quotas that a claim of this member would count in, in the order in which they are locked,
-- each with what is used of its window so far. A slice of one tier counts its own members only:
-- `p_tiers` are the tiers the member has reached, the member's own last. Reads only.
CREATE OR REPLACE FUNCTION benefits_quotas_of(
    p_benefit bigint, p_release bigint, p_member bigint, p_wallet text, p_zone text,
    p_person bytea, p_now timestamptz, p_tiers text[] DEFAULT NULL
) RETURNS TABLE (
    quota_id bigint, holder_kind text, period text, holder text, window_key text,
    allowed integer, used integer, pause interval, again_at timestamptz, is_full boolean
)
LANGUAGE sql STABLE AS $$
    SELECT quota.id, quota.holder, quota.period, whose.holder, whose.window_key,
           quota.allowed, coalesce(so_far.used, 0), make_interval(mins => quota.pause_minutes),
           CASE WHEN quota.period = 'cooldown' THEN so_far.frees_at
                ELSE benefits_window_end(quota.period, p_now, whose.zone) END,
           CASE WHEN quota.period = 'cooldown' THEN coalesce(so_far.frees_at > p_now, false)
                ELSE coalesce(so_far.used, 0) >= quota.allowed END
    FROM benefits_quota quota
    CROSS JOIN LATERAL (
        SELECT CASE WHEN quota.holder = 'member' THEN p_zone ELSE quota.time_zone END AS zone,
               CASE quota.holder
                   WHEN 'member' THEN p_member::text
                   WHEN 'person' THEN coalesce(encode(p_person, 'hex'), p_member::text)
                   ELSE '' END AS holder
    ) place
    CROSS JOIN LATERAL (
        SELECT place.zone, place.holder,
               benefits_window(quota.period, p_now, place.zone) AS window_key
    ) whose
    LEFT JOIN benefits_quotause so_far
      ON so_far.quota_id = quota.id AND so_far.holder = whose.holder
     AND so_far."window" = whose.window_key
    WHERE quota.benefit_id = p_benefit AND quota.is_active
      AND (quota.release_id IS NULL OR quota.release_id = p_release)
      AND (quota.wallet_id IS NULL OR quota.wallet_id = p_wallet)
      AND (quota.tier = '' OR quota.tier = p_tiers[cardinality(p_tiers)])
    ORDER BY quota.id
$$;

-- Whether a member's tier decides over the price or over a limit of the benefit.
CREATE OR REPLACE FUNCTION benefits_needs_tier(p_benefit bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM benefits_pricerow WHERE benefit_id = p_benefit AND tier <> ''
    ) OR EXISTS (
        SELECT 1 FROM benefits_quota WHERE benefit_id = p_benefit AND is_active AND tier <> ''
    )
$$;

-- One more claim in a window, or null when it is full. The guard is in the update itself: of two
-- claims at one instant the second waits for the first and then sees what it left.
CREATE OR REPLACE FUNCTION benefits_count_in_window(
    p_quota bigint, p_holder text, p_window text, p_allowed integer, p_frees_at timestamptz,
    p_now timestamptz
) RETURNS bigint
LANGUAGE sql AS $$
    INSERT INTO benefits_quotause AS counted (quota_id, holder, "window", used, allowed, frees_at)
    VALUES (p_quota, p_holder, p_window, 1, p_allowed, p_frees_at)
    ON CONFLICT (quota_id, holder, "window") DO UPDATE
    SET used = CASE WHEN p_frees_at IS NULL THEN counted.used + 1 ELSE 1 END,
        allowed = p_allowed,
        frees_at = p_frees_at
    WHERE CASE WHEN p_frees_at IS NULL THEN counted.used < p_allowed
               ELSE counted.frees_at IS NULL OR counted.frees_at <= p_now END
    RETURNING counted.id
$$;

-- The price row that counts for a member: the first from the top whose every condition fits them.
-- A row with a tier fits whoever has reached it. Null: none fits.
CREATE OR REPLACE FUNCTION benefits_price_row(
    p_benefit bigint, p_member bigint, p_wallet text, p_tiers text[]
) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT price.id
    FROM benefits_pricerow price
    WHERE price.benefit_id = p_benefit
      AND (price.wallet_id IS NULL OR price.wallet_id = p_wallet)
      AND (price.tier = '' OR price.tier = ANY (p_tiers))
      AND (price.segment_id IS NULL OR EXISTS (
          SELECT 1 FROM benefits_segmentmember listed
          WHERE listed.member_id = p_member AND listed.segment_id = price.segment_id
      ))
    ORDER BY price.position
    LIMIT 1
$$;

-- What a member pays: that row's price, else the release's own.
CREATE OR REPLACE FUNCTION benefits_price_for(
    p_benefit bigint, p_member bigint, p_wallet text, p_default integer,
    p_tiers text[] DEFAULT NULL
) RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT price.price_credits
        FROM benefits_pricerow price
        WHERE price.id = benefits_price_row(p_benefit, p_member, p_wallet, p_tiers)
    ), p_default)
$$;

-- A claim's cost taken from its budget, split over the funders. False when it does not fit.
-- The parts of a cost are differences of a rounded running sum, so they add up to it exactly.
CREATE OR REPLACE FUNCTION benefits_spend_budget(p_budget bigint, p_cost bigint, p_currency text)
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE benefits_budget
    SET spent = spent + p_cost
    WHERE id = p_budget AND currency = p_currency AND spent + p_cost <= amount
      AND 10000 = (SELECT sum(basis_points) FROM benefits_budgetshare WHERE budget_id = p_budget);
    RETURN FOUND;
END
$$;

CREATE OR REPLACE FUNCTION benefits_record_cost(p_claim bigint, p_budget bigint, p_cost bigint)
RETURNS void
LANGUAGE sql AS $$
    INSERT INTO benefits_budgetuse (claim_id, budget_id, funder, amount)
    SELECT p_claim, p_budget, part.funder,
           p_cost * part.upto / 10000 - p_cost * (part.upto - part.basis_points) / 10000
    FROM (
        SELECT funder, basis_points, sum(basis_points) OVER (ORDER BY id) AS upto
        FROM benefits_budgetshare
        WHERE budget_id = p_budget
    ) part
$$;

-- A claim that replaces another counts in the windows of the first, which goes on counting in none.
-- Its cost is borne once more, by the first one's budget as it stands now. False when it is not.
CREATE OR REPLACE FUNCTION benefits_count_replacement(p_first bigint, p_claim bigint)
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_windows smallint;
    v_budget record;
BEGIN
    SELECT window_count INTO STRICT v_windows FROM benefits_claim WHERE id = p_first;
    UPDATE benefits_quotacount SET claim_id = p_claim WHERE claim_id = p_first;
    UPDATE benefits_claim
    SET window_count = CASE id WHEN p_claim THEN v_windows ELSE least(v_windows, 0) END
    WHERE id IN (p_first, p_claim);

    SELECT benefit.budget_id, benefit.unit_cost, benefit.unit_cost_currency INTO STRICT v_budget
    FROM benefits_claim claim JOIN benefits_benefit benefit ON benefit.id = claim.benefit_id
    WHERE claim.id = p_claim;
    IF v_budget.budget_id IS NOT NULL THEN
        IF NOT benefits_spend_budget(
            v_budget.budget_id, v_budget.unit_cost, v_budget.unit_cost_currency) THEN
            RETURN false;
        END IF;
        PERFORM benefits_record_cost(p_claim, v_budget.budget_id, v_budget.unit_cost);
    END IF;
    UPDATE benefits_claim
    SET budget_cost = CASE WHEN v_budget.budget_id IS NULL THEN 0 ELSE v_budget.unit_cost END
    WHERE id = p_claim;
    RETURN true;
END
$$;

-- A claim that lets go of its slot counts nowhere any more. One that was given away goes on
-- counting: its slot moved on, it did not come back.
CREATE OR REPLACE FUNCTION benefits_uncount_claim() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    v_counted record;
BEGIN
    FOR v_counted IN
        SELECT counted.use_id, counted.frees_at
        FROM benefits_quotacount counted
        JOIN benefits_quotause so_far ON so_far.id = counted.use_id
        WHERE counted.claim_id = NEW.id
        ORDER BY so_far.quota_id
    LOOP
        -- A pause ends with the claim that began it; a later claim's pause goes on.
        UPDATE benefits_quotause
        SET used = used - 1,
            frees_at = NULL
        WHERE id = v_counted.use_id AND frees_at IS NOT DISTINCT FROM v_counted.frees_at;
    END LOOP;
    DELETE FROM benefits_quotacount WHERE claim_id = NEW.id;
    WITH given_back AS (
        DELETE FROM benefits_budgetuse WHERE claim_id = NEW.id RETURNING budget_id, amount
    )
    UPDATE benefits_budget budget
    SET spent = spent - back.amount
    FROM (SELECT budget_id, sum(amount) AS amount FROM given_back GROUP BY 1) back
    WHERE budget.id = back.budget_id;
    RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS uncount_claim ON benefits_claim;
CREATE TRIGGER uncount_claim AFTER UPDATE OF holds_slot ON benefits_claim
    FOR EACH ROW WHEN (OLD.holds_slot AND NOT NEW.holds_slot AND NEW.state <> 'gifted')
    EXECUTE FUNCTION benefits_uncount_claim();

DROP TRIGGER IF EXISTS guard_ruleversion ON benefits_ruleversion;
CREATE TRIGGER guard_ruleversion BEFORE UPDATE OR DELETE ON benefits_ruleversion
    FOR EACH ROW EXECUTE FUNCTION benefits_guard_append_only();
