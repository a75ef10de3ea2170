-- What a row of the ledger must be, whoever writes it.
--
-- One function call per table and not the rules written out: PostgreSQL reads a CHECK's expression
-- anew for every statement, and these long ones cost more than the insert itself.

-- An account: nothing negative, no credits beside debt, and buckets that add up: as many keys as
-- amounts, at most 40, rising, above zero, summing to what is available.
CREATE FUNCTION ledger.is_account(
    p_keys smallint[], p_remains int[], p_available int, p_held int, p_debt int, p_status smallint
) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    v_total bigint := 0;
    v_count int := cardinality(p_keys);
BEGIN
    IF p_available < 0 OR p_held < 0 OR p_debt < 0 OR (p_debt > 0 AND p_available > 0)
        OR p_status NOT BETWEEN 0 AND 2 OR v_count > 40 OR v_count <> cardinality(p_remains)
    THEN
        RETURN false;
    END IF;
    FOR i IN 1 .. v_count LOOP
        IF p_remains[i] <= 0 OR p_keys[i] <= p_keys[i - 1] THEN
            RETURN false;
        END IF;
        v_total := v_total + p_remains[i];
    END LOOP;
    RETURN v_total = p_available;
END
$$;

ALTER TABLE ledger.account ADD CONSTRAINT account_is_sound
    CHECK (ledger.is_account(bucket_keys, bucket_left, available, held, debt, status));

-- An entry: signs that fit its kind, nothing negative after it, an original where it undoes one,
-- and short texts.
CREATE FUNCTION ledger.is_entry(
    p_kind smallint, a int, h int, d int, p_available int, p_held int, p_debt int, p_seq int,
    p_orig uuid, p_reason text, p_related text
) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF p_available < 0 OR p_held < 0 OR p_debt < 0 OR p_seq <= 0
        OR octet_length(p_reason) > 40 OR octet_length(p_related) > 40
        OR (p_kind IN (4, 5, 6, 8) AND p_orig IS NULL)
    THEN
        RETURN false;
    END IF;
    RETURN CASE p_kind
        WHEN 1 THEN a >= 0 AND h = 0 AND d <= 0 AND a > d          -- earn
        WHEN 2 THEN a < 0 AND h = 0 AND d = 0                      -- spend
        WHEN 3 THEN a < 0 AND h = -a AND d = 0                     -- hold
        WHEN 4 THEN a >= 0 AND h < 0 AND d <= 0 AND a - d < -h     -- capture; the rest returns
        WHEN 5 THEN a >= 0 AND h < 0 AND d <= 0 AND a - d = -h     -- release
        WHEN 6 THEN a >= 0 AND h = 0 AND d <= 0 AND a > d          -- refund
        WHEN 7 THEN a < 0 AND h = 0 AND d = 0                      -- expire
        WHEN 8 THEN a <= 0 AND h = 0 AND d >= 0 AND d > a          -- clawback
        WHEN 9 THEN h = 0 AND d <= 0 AND (a >= 0 OR d = 0) AND a <> d  -- adjust, up or down
        ELSE false
    END;
END
$$;

ALTER TABLE ledger.entry ADD CONSTRAINT entry_is_sound CHECK (ledger.is_entry(
    kind, available_change, held_change, debt_change, available_after, held_after, debt_after,
    seq, orig_op, reason, related
));
