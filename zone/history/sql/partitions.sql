-- The smallest UUIDv7 of an instant: its milliseconds and nothing behind them.
CREATE FUNCTION history_first_id(instant timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT (lpad(to_hex((extract(epoch FROM instant) * 1000)::bigint), 12, '0')
            || repeat('0', 20))::uuid
$$;

-- Make sure that each month from `first` on, `month_count` of them, has its partitions.
-- Returns how many tables were made. Runs with the owner's rights, because the application may
-- not create tables; it can name nothing but months.
CREATE FUNCTION history_ensure_months(first date, month_count integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    parent text;
    part text;
    month timestamp;
    made integer := 0;
BEGIN
    IF month_count NOT BETWEEN 1 AND 120 OR first NOT BETWEEN '2008-01-01' AND '2100-01-01' THEN
        RAISE EXCEPTION 'history_ensure_months: % months from % are out of range',
            month_count, first;
    END IF;
    -- One maker at a time: two of them would trip over each other's names.
    PERFORM pg_advisory_xact_lock(hashtext('history_ensure_months'));
    FOR step IN 0 .. month_count - 1 LOOP
        month := date_trunc('month', first::timestamp) + make_interval(months => step);
        FOREACH parent IN ARRAY ARRAY[
            'history_charge', 'history_charge_line', 'history_subscription_event'
        ] LOOP
            part := parent || to_char(month, '"_"YYYY"_"MM');
            CONTINUE WHEN to_regclass('public.' || part) IS NOT NULL;
            -- Made apart and attached: readers and writers of the other months go on meanwhile.
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
                           part, parent);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                           parent, part,
                           history_first_id(month AT TIME ZONE 'UTC'),
                           history_first_id((month + interval '1 month') AT TIME ZONE 'UTC'));
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;

-- A year back, for what wallets send late, and three months ahead.
SELECT history_ensure_months((zone_now() - interval '12 months')::date, 16);
