-- Correct a balance by hand, up or down. Downward it never goes below zero and never makes debt.
-- A frozen account can be adjusted; a closed one only downward.
--
-- Refusals: those of earn and spend, except frozen.
CREATE FUNCTION ledger.adjust(
    p_member bigint, p_op uuid, p_amount int, p_until date, p_funding smallint, p_counter smallint,
    p_reason text, p_related text
) RETURNS ledger.result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
    IF p_amount < 0 AND p_amount > -2147483648 THEN
        RETURN ledger.debit(9, p_member, p_op, -p_amount, p_counter, p_reason, p_related, NULL, NULL);
    END IF;
    RETURN ledger.credit(
        9, p_member, p_op, p_amount, p_until, p_funding, p_counter, p_reason, p_related, NULL, NULL,
        true
    );
END
$$;
