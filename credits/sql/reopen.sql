-- Open a closed account again, for a member who came back: empty, with its journal behind it.
-- Answers 'ok', 'unchanged' for an account that is not closed, or 'not_found'.
CREATE FUNCTION ledger.reopen(p_member bigint, p_reason text, p_actor text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    v_status smallint;
BEGIN
    SELECT status INTO v_status FROM ledger.account WHERE member_id = p_member FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'not_found';
    ELSIF v_status <> 2 THEN
        RETURN 'unchanged';
    END IF;
    UPDATE ledger.account SET status = 0 WHERE member_id = p_member;
    INSERT INTO ledger.status_event (member_id, at, from_status, to_status, reason, actor)
    VALUES (p_member, clock_timestamp(), 2, 0, p_reason, p_actor);
    RETURN 'ok';
END
$$;
