-- Whose wishes have to be looked at again: one row a member and statement, in the commit of the
-- change itself, and only for who has an open wish. Rows are inserted and never updated here: two
-- commits that change the same members in another order would wait for each other.
CREATE OR REPLACE FUNCTION benefits_touch_wishes() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO benefits_wishtouch (member_id)
    SELECT DISTINCT changed.member_id
    FROM changed
    JOIN benefits_wish wish ON wish.member_id = changed.member_id AND wish.state = 'open';
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER wish_insert AFTER INSERT ON members_binding
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_touch_wishes();
CREATE OR REPLACE TRIGGER wish_update AFTER UPDATE ON members_binding
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_touch_wishes();
CREATE OR REPLACE TRIGGER wish_insert AFTER INSERT ON history_charge
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_touch_wishes();
CREATE OR REPLACE TRIGGER wish_insert AFTER INSERT ON history_subscription
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_touch_wishes();
CREATE OR REPLACE TRIGGER wish_update AFTER UPDATE ON history_subscription
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_touch_wishes();
CREATE OR REPLACE TRIGGER wish_insert AFTER INSERT ON credits_membertier
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_touch_wishes();
CREATE OR REPLACE TRIGGER wish_update AFTER UPDATE ON credits_membertier
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_touch_wishes();
CREATE OR REPLACE TRIGGER wish_insert AFTER INSERT ON benefits_segmentmember
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_touch_wishes();
CREATE OR REPLACE TRIGGER wish_insert AFTER INSERT ON benefits_membertag
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_touch_wishes();

-- Open wishes that have to be looked at now: of touched members, of those who have the credits by
-- now, and of those who claimed something since. Accounts and claims are read here instead of
-- touching from them: both are written in the rush of a drop, where each statement counts.
CREATE OR REPLACE FUNCTION benefits_wake_wishes(p_limit integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_now constant timestamptz := zone_now();
    v_woken integer;
BEGIN
    WITH taken AS MATERIALIZED (
        SELECT id FROM benefits_wishtouch ORDER BY id LIMIT p_limit FOR UPDATE SKIP LOCKED
    ), touched AS (
        DELETE FROM benefits_wishtouch touch USING taken WHERE touch.id = taken.id
        RETURNING touch.member_id
    ), due AS MATERIALIZED (
        SELECT wish.id
        FROM benefits_wish wish
        WHERE wish.state = 'open' AND wish.looks_at > v_now
          AND (wish.member_id IN (SELECT member_id FROM touched)
            OR EXISTS (
                SELECT 1 FROM ledger.account account
                WHERE account.member_id = wish.member_id
                  AND account.available >= wish.needs_credits)
            OR (wish.needs_claims AND EXISTS (
                SELECT 1 FROM benefits_claim claim
                WHERE claim.member_id = wish.member_id AND claim.created_at > wish.looked_at)))
        ORDER BY wish.id
        FOR UPDATE OF wish
    )
    UPDATE benefits_wish wish SET looks_at = v_now FROM due WHERE wish.id = due.id;
    GET DIAGNOSTICS v_woken = ROW_COUNT;
    RETURN v_woken;
END
$$;
