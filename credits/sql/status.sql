-- Freeze (1), thaw (0) or close (2) an account. A closed account stays closed; closing needs an
-- account without credits, holds and debt. Answers 'ok', 'unchanged', 'not_found', 'closed' or
-- 'not_empty'. A member without an account gets one, so that a freeze holds from the start.
CREATE FUNCTION ledger.set_status(p_member bigint, p_status smallint, p_reason text, p_actor text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    s ledger.standing;
BEGIN
    IF p_status IS NULL OR p_status NOT BETWEEN 0 AND 2 THEN
        RETURN 'invalid_status';
    END IF;
    IF NOT ledger.open_account(p_member) THEN
        RETURN 'not_found';
    END IF;
    s := ledger.find(p_member, NULL, true);
    IF s.status = p_status THEN
        RETURN 'unchanged';
    ELSIF s.status = 2 THEN
        RETURN 'closed';
    ELSIF p_status = 2 AND (s.available > 0 OR s.held > 0 OR s.debt > 0) THEN
        RETURN 'not_empty';
    END IF;
    UPDATE ledger.account SET status = p_status WHERE member_id = p_member;
    INSERT INTO ledger.status_event (member_id, at, from_status, to_status, reason, actor)
    VALUES (p_member, clock_timestamp(), s.status, p_status, p_reason, p_actor);
    RETURN 'ok';
END
$$;
