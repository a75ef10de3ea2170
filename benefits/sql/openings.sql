-- Whether a benefit that keeps hours is open at an instant: the first instant of an opening is in
-- it, the last is not.
CREATE OR REPLACE FUNCTION benefits_is_open(p_benefit bigint, p_now timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1
        FROM benefits_openingspan span
        JOIN benefits_openinghours hours ON hours.id = span.hours_id AND hours.is_active
        WHERE span.benefit_id = p_benefit AND span.starts_at <= p_now AND span.ends_at > p_now
    )
$$;

-- When it opens next; null: never again, as far as anybody has planned.
CREATE OR REPLACE FUNCTION benefits_opens_next(p_benefit bigint, p_now timestamptz)
RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT min(span.starts_at)
    FROM benefits_openingspan span
    JOIN benefits_openinghours hours ON hours.id = span.hours_id AND hours.is_active
    WHERE span.benefit_id = p_benefit AND span.ends_at > p_now AND span.starts_at > p_now
$$;
