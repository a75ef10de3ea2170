-- What a row of the ledger must be, whoever writes it.
--
-- One function call per table and not the rules written out: PostgreSQL reads a CHECK's expression
-- anew for every statement, and these long ones cost more than the insert itself.

-- An account: nothing negative, no credits beside debt, and buckets that add up: as many keys as
-- amounts, at most 40, rising, above zero, summing to what is available.
CREATE OR REPLACE FUNCTION ledger.is_account(
    p_keys smallint[], p_remains int[], p_available int, p_held int, p_debt int, p_status smallint
) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    v_total bigint := 0;
BEGIN
    -- Few expressions, since each is prepared anew in every transaction. A bucket that is wrong makes
    -- the sum null, and it stays null.
    FOR i IN 1 .. cardinality(p_keys) LOOP
        v_total := v_total
            + CASE WHEN p_remains[i] > 0 AND (i = 1 OR p_keys[i] > p_keys[i - 1]) THEN p_remains[i] END;
    END LOOP;
    RETURN coalesce(
        v_total = p_available AND (p_debt = 0 OR p_available = 0) AND p_held >= 0 AND p_debt >= 0
        AND p_status BETWEEN 0 AND 2
        AND cardinality(p_keys) = cardinality(p_remains) AND cardinality(p_keys) <= 40,
        false
    );
END
$$;

-- An entry: signs that fit its kind, nothing negative after it, an original where it undoes one,
-- and short texts.
--
-- One short expression for each kind: PL/pgSQL prepares an expression when it is first reached in
-- a transaction, so a spend does not pay for the rules of the others.
CREATE OR REPLACE FUNCTION ledger.is_entry(
    p_kind smallint, a int, h int, d int, p_available int, p_held int, p_debt int, p_seq int,
    p_orig uuid, p_reason text, p_related text
) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF least(p_available, p_held, p_debt, p_seq - 1) < 0
        OR greatest(octet_length(p_reason), octet_length(p_related)) > 40
    THEN
        RETURN false;
    ELSIF p_kind = 1 THEN -- earn
        RETURN a >= 0 AND h = 0 AND d <= 0 AND a > d;
    ELSIF p_kind IN (2, 7) THEN -- spend, expire
        RETURN a < 0 AND h = 0 AND d = 0;
    ELSIF p_kind = 3 THEN -- hold
        RETURN a < 0 AND h = -a AND d = 0;
    ELSIF p_kind = 4 THEN -- capture: what is not captured returns
        RETURN a >= 0 AND h < 0 AND d <= 0 AND a - d < -h AND p_orig IS NOT NULL;
    ELSIF p_kind = 5 THEN -- release
        RETURN a >= 0 AND h < 0 AND d <= 0 AND a - d = -h AND p_orig IS NOT NULL;
    ELSIF p_kind = 6 THEN -- refund
        RETURN a >= 0 AND h = 0 AND d <= 0 AND a > d AND p_orig IS NOT NULL;
    ELSIF p_kind = 8 THEN -- clawback
        RETURN a <= 0 AND h = 0 AND d >= 0 AND d > a AND p_orig IS NOT NULL;
    ELSIF p_kind = 9 THEN -- adjust, up or down
        RETURN h = 0 AND d <= 0 AND (a >= 0 OR d = 0) AND a <> d;
    END IF;
    RETURN false;
END
$$;
