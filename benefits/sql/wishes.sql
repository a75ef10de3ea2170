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

-- Open wishes that have to be looked at now: of touched members, and of those who have the credits
-- by now. Accounts are not touched from: they are written in the rush of a drop, where each
-- statement counts. The journal says whose credits grew since the last look. What is visible of
-- transactions that were still open then is read again, so none is missed; a mark above this
-- server's transactions is of the server that it was restored from.
-- Each member's wishes are asked for by themselves (OFFSET 0 keeps it so): no plan may read the
-- wishes of everybody, whatever it thinks of how many were touched. And none that was made when
-- there were few of them is kept: a worker's connection is older than a campaign.
CREATE OR REPLACE FUNCTION benefits_wake_wishes(p_limit integer) RETURNS integer
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    v_now constant timestamptz := zone_now();
    v_from bigint;
    v_to bigint;
    v_woken integer;
BEGIN
    SELECT tx_from INTO v_from FROM benefits_wishmark FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
        v_to := txid_snapshot_xmin(txid_current_snapshot());
        v_from := least(v_from, v_to);
    END IF; -- Otherwise somebody else reads the journal, and `txid >= NULL` finds nothing.
    WITH taken AS MATERIALIZED (
        SELECT id FROM benefits_wishtouch ORDER BY id LIMIT p_limit FOR UPDATE SKIP LOCKED
    ), touched AS (
        DELETE FROM benefits_wishtouch touch USING taken WHERE touch.id = taken.id
        RETURNING touch.member_id
    ), credited AS MATERIALIZED (
        SELECT DISTINCT member_id FROM ledger.entry WHERE txid >= v_from AND available_change > 0
    ), asked AS MATERIALIZED (
        SELECT theirs.id
        FROM (SELECT DISTINCT member_id FROM touched) member
        CROSS JOIN LATERAL (
            SELECT wish.id FROM benefits_wish wish
            WHERE wish.member_id = member.member_id AND wish.state = 'open'
            OFFSET 0
        ) theirs
        UNION
        SELECT theirs.id
        FROM credited member
        CROSS JOIN LATERAL (
            SELECT wish.id FROM benefits_wish wish
            WHERE wish.member_id = member.member_id AND wish.state = 'open'
              AND wish.needs_credits <= (
                  SELECT account.available FROM ledger.account account
                  WHERE account.member_id = member.member_id)
            OFFSET 0
        ) theirs
    ), due AS MATERIALIZED (
        SELECT theirs.id
        FROM (SELECT id FROM asked ORDER BY id) asked
        CROSS JOIN LATERAL (
            SELECT wish.id FROM benefits_wish wish
            WHERE wish.id = asked.id AND wish.state = 'open' AND wish.looks_at > v_now
            FOR UPDATE
        ) theirs
    )
    UPDATE benefits_wish wish SET looks_at = v_now WHERE wish.id = ANY (ARRAY(SELECT id FROM due));
    GET DIAGNOSTICS v_woken = ROW_COUNT;
    UPDATE benefits_wishmark SET tx_from = v_to WHERE v_to > tx_from OR v_from < tx_from;
    RETURN v_woken;
END
$$;
