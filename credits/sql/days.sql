-- Days, months, bucket keys and operation ids.
--
-- A bucket key is (months since January 2000) * 2 + funding, funding being 0 for promotional and
-- 1 for paid credits. Keys in rising order are the order of spending: soonest end first, then
-- promotional before paid. A bucket lives through the last day of its month, so it has lapsed
-- exactly when its key is below the key of the first bucket of today's month, today's `floor`.

CREATE OR REPLACE FUNCTION ledger.month_number(p_day date) RETURNS int
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (date_part('year', p_day) * 12 + date_part('month', p_day) - 24001)::int;

CREATE OR REPLACE FUNCTION ledger.month_end(p_month int) RETURNS date
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (make_date(2000 + p_month / 12, p_month % 12 + 1, 1) + interval '1 month - 1 day')::date;

CREATE OR REPLACE FUNCTION ledger.expires_on(p_key int) RETURNS date
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ledger.month_end(p_key / 2);

-- The instant in a UUIDv7 (RFC 9562, section 5.7), to the millisecond.
CREATE OR REPLACE FUNCTION ledger.instant_of(p_op uuid) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN to_timestamp(
    ('x' || lpad(left(translate(p_op::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0
);

-- A UUIDv7 for an instant whose other bits follow from `p_seed`: the same seed, the same id.
CREATE OR REPLACE FUNCTION ledger.op_at(p_at timestamptz, p_seed text) RETURNS uuid
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN (
    lpad(to_hex(floor(extract(epoch FROM p_at) * 1000)::bigint), 12, '0')
    || '7' || substr(md5(p_seed), 1, 3) || 'a' || substr(md5(p_seed), 4, 15)
)::uuid;

-- An id that follows from another operation's id and a word, with the same instant.
CREATE OR REPLACE FUNCTION ledger.derived_op(p_op uuid, p_salt text) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    left(translate(p_op::text, '-', ''), 12)
    || '7' || substr(md5(p_op::text || p_salt), 1, 3)
    || 'b' || substr(md5(p_op::text || p_salt), 4, 15)
)::uuid;

-- The first possible op_id of an instant: bounds of the journal's partitions.
CREATE OR REPLACE FUNCTION ledger.first_op(p_at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    lpad(to_hex(floor(extract(epoch FROM p_at) * 1000)::bigint), 12, '0')
    || '00000000000000000000'
)::uuid;

-- Today in a market, never below the highest day used there.
CREATE OR REPLACE FUNCTION ledger.today(p_zone smallint) RETURNS date
LANGUAGE sql VOLATILE STRICT
RETURN (
    SELECT greatest(day, (public.zone_now() AT TIME ZONE name)::date)
    FROM ledger.zone_day WHERE zone = p_zone
);

-- Remember a market's new day. Whoever comes first writes it; nobody waits.
CREATE OR REPLACE FUNCTION ledger.advance_day(p_zone smallint, p_day date) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ledger.zone_day
    SET day = p_day, floor = ledger.month_number(p_day) * 2,
        ends_at = (p_day + 1)::timestamp AT TIME ZONE name
    WHERE zone IN (
        SELECT zone FROM ledger.zone_day WHERE zone = p_zone AND day < p_day
        FOR UPDATE SKIP LOCKED
    );
END
$$;
