-- The journal is only ever added to.

CREATE FUNCTION ledger.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %: the ledger is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER guard_change BEFORE UPDATE OR DELETE ON ledger.entry
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.entry ENABLE ALWAYS TRIGGER guard_change;
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON ledger.entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.entry ENABLE ALWAYS TRIGGER guard_truncate;

CREATE TRIGGER guard_change BEFORE UPDATE OR DELETE ON ledger.seal
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.seal ENABLE ALWAYS TRIGGER guard_change;
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON ledger.seal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.seal ENABLE ALWAYS TRIGGER guard_truncate;

CREATE TRIGGER guard_change BEFORE UPDATE OR DELETE ON ledger.rollup
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.rollup ENABLE ALWAYS TRIGGER guard_change;
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON ledger.rollup
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.rollup ENABLE ALWAYS TRIGGER guard_truncate;

CREATE TRIGGER guard_change BEFORE UPDATE OR DELETE ON ledger.status_event
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.status_event ENABLE ALWAYS TRIGGER guard_change;
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON ledger.status_event
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.status_event ENABLE ALWAYS TRIGGER guard_truncate;

-- The operation ids that have a partition, first included and last excluded.
CREATE FUNCTION ledger.partition_span(OUT first_op uuid, OUT last_op uuid)
LANGUAGE sql STABLE AS $$
    SELECT ledger.first_op(min(m)::timestamp AT TIME ZONE 'UTC'),
           ledger.first_op((max(m) + interval '1 month') AT TIME ZONE 'UTC')
    FROM (
        SELECT to_date(c.relname, '"entry_"YYYY_MM') AS m
        FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'ledger.entry'::regclass
    ) months
$$;

-- Make the journal's missing monthly partitions from one day's month to another's, and those
-- between them and the ones there are: the months that exist have no gap.
--
-- Safe to repeat and to race. Attaching, unlike CREATE TABLE ... PARTITION OF, does not stop
-- anybody who is posting. Returns how many it made.
CREATE FUNCTION ledger.make_partitions(p_from date, p_to date) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET lock_timeout = '2s' AS $$
DECLARE
    v_month date;
    v_name text;
    v_made int := 0;
    v_first date;
    v_last date;
BEGIN
    IF p_from < date '2000-01-01' OR p_to > (public.zone_now() + interval '100 years')::date THEN
        RAISE EXCEPTION 'no partitions for % to %', p_from, p_to
            USING ERRCODE = 'datetime_field_overflow';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('ledger.make_partitions'));
    SELECT ledger.instant_of(first_op) AT TIME ZONE 'UTC', ledger.instant_of(last_op) AT TIME ZONE 'UTC'
    INTO v_first, v_last
    FROM ledger.partition_span();
    v_month := date_trunc('month', least(p_from, v_last)::timestamp);
    p_to := greatest(p_to, v_first - 1);
    WHILE v_month <= p_to LOOP
        v_name := 'entry_' || to_char(v_month, 'YYYY_MM');
        IF to_regclass('ledger.' || v_name) IS NULL THEN
            EXECUTE format('CREATE TABLE ledger.%I (LIKE ledger.entry INCLUDING ALL)', v_name);
            EXECUTE format(
                'ALTER TABLE ledger.entry ATTACH PARTITION ledger.%I FOR VALUES FROM (%L) TO (%L)',
                v_name,
                ledger.first_op(v_month::timestamp AT TIME ZONE 'UTC'),
                ledger.first_op((v_month + interval '1 month')::timestamp AT TIME ZONE 'UTC')
            );
            EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER guard_change', v_name);
            EXECUTE format(
                'CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON ledger.%I '
                'FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', v_name
            );
            EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER guard_truncate', v_name);
            v_made := v_made + 1;
        END IF;
        v_month := v_month + interval '1 month';
    END LOOP;
    -- A market whose row somebody holds learns of it from the next caller; nobody waits here.
    UPDATE ledger.zone_day z SET first_op = s.first_op, last_op = s.last_op
    FROM ledger.partition_span() s
    WHERE z.zone IN (
        SELECT q.zone FROM ledger.zone_day q
        WHERE (q.first_op, q.last_op) <> (s.first_op, s.last_op)
        FOR NO KEY UPDATE SKIP LOCKED
    );
    RETURN v_made;
END
$$;

SELECT ledger.make_partitions(
    (public.zone_now() - interval '1 month')::date, (public.zone_now() + interval '3 months')::date
);
