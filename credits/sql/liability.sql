-- What the journal moved in and out of members' buckets, by month: small enough to be read for every
-- look at the programme's liability, kept by a job from sealed blocks alone.

CREATE TABLE ledger.month_flow (
    month smallint NOT NULL, -- of the business day, counted from January 2000
    wallet text NOT NULL,
    bucket smallint NOT NULL,
    kind smallint NOT NULL,
    counter smallint NOT NULL,
    move_count bigint NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (month, wallet, bucket, kind, counter)
);

-- How far the journal is rolled up: every transaction below `tx_hi`, and none above.
CREATE TABLE ledger.flow_mark (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    tx_hi bigint NOT NULL
);
INSERT INTO ledger.flow_mark (tx_hi) VALUES (0);

-- The flows of the transactions [p_from, p_to), read from the journal.
CREATE FUNCTION ledger.flows(p_from bigint, p_to bigint)
RETURNS TABLE (
    month smallint, wallet text, bucket smallint, kind smallint, counter smallint,
    move_count bigint, amount bigint
) LANGUAGE sql STABLE AS $$
    SELECT ledger.month_number(e.day)::smallint, coalesce(m.wallet_id, ''), a.key::smallint, e.kind,
           e.counter, count(*), sum(sign(e.available_change)::int * a.amount)
    FROM ledger.entry e
    CROSS JOIN LATERAL (
        SELECT e.alloc[i], e.alloc[i + 1] FROM generate_series(1, cardinality(e.alloc), 2) i
    ) a (key, amount)
    LEFT JOIN public.members_member m ON m.id = e.member_id
    WHERE e.txid >= p_from AND e.txid < p_to
    GROUP BY 1, 2, 3, 4, 5
$$;

-- Roll up to `p_blocks` more sealed blocks; says how many it was. A sealed block is whole and final,
-- so each entry is counted once. Safe to kill, to repeat and to run twice at once.
CREATE FUNCTION ledger.roll_flows(p_blocks int DEFAULT 20) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_from bigint;
    v_to bigint;
    v_count int;
BEGIN
    SELECT tx_hi INTO v_from FROM ledger.flow_mark FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    SELECT count(*), max(tx_hi) INTO v_count, v_to
    FROM (SELECT tx_hi FROM ledger.seal WHERE tx_hi > v_from ORDER BY tx_hi LIMIT p_blocks) next;
    IF v_count = 0 THEN
        RETURN 0;
    END IF;
    INSERT INTO ledger.month_flow AS f SELECT * FROM ledger.flows(v_from, v_to)
    ON CONFLICT (month, wallet, bucket, kind, counter) DO UPDATE
    SET move_count = f.move_count + excluded.move_count, amount = f.amount + excluded.amount;
    UPDATE ledger.flow_mark SET tx_hi = v_to;
    RETURN v_count;
END
$$;

-- What is set aside, for the few holds that are open.
CREATE INDEX hold_open ON ledger.hold (member_id) WHERE state = 0;
