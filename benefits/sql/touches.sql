-- Whom live segments have to look at again. One row a member and statement, in the commit of the
-- change itself, and only while a live segment looks at such things: without one a statement pays
-- for one look at a small table.
CREATE OR REPLACE FUNCTION benefits_note_touch() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM benefits_segment
        WHERE kind = 'live' AND (TG_ARGV[0] = 'member' OR TG_ARGV[0] = ANY (sources))
    ) THEN
        INSERT INTO benefits_membertouch (member_id, source)
        SELECT DISTINCT member_id, TG_ARGV[0] FROM changed WHERE member_id IS NOT NULL;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION benefits_note_member() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM benefits_segment WHERE kind = 'live') THEN
        INSERT INTO benefits_membertouch (member_id, source) SELECT id, 'member' FROM changed;
    END IF;
    RETURN NULL;
END
$$;

-- A list's own rows count for rules that name the list; a live segment's rows count for none.
CREATE OR REPLACE FUNCTION benefits_note_listed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM benefits_segment WHERE kind = 'live' AND 'segments' = ANY (sources)) THEN
        INSERT INTO benefits_membertouch (member_id, source)
        SELECT DISTINCT changed.member_id, 'segments'
        FROM changed
        JOIN benefits_segment segment ON segment.id = changed.segment_id
        WHERE segment.kind = 'list';
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER touch_insert AFTER INSERT ON members_member
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_member();
CREATE OR REPLACE TRIGGER touch_update AFTER UPDATE ON members_member
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_member();
CREATE OR REPLACE TRIGGER touch_insert AFTER INSERT ON members_binding
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_touch('member');
CREATE OR REPLACE TRIGGER touch_update AFTER UPDATE ON members_binding
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_touch('member');
CREATE OR REPLACE TRIGGER touch_insert AFTER INSERT ON members_membersession
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_touch('devices');
CREATE OR REPLACE TRIGGER touch_update AFTER UPDATE ON members_membersession
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_touch('devices');
CREATE OR REPLACE TRIGGER touch_insert AFTER INSERT ON history_charge
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_touch('purchases');
CREATE OR REPLACE TRIGGER touch_update AFTER UPDATE ON history_charge
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_touch('purchases');
CREATE OR REPLACE TRIGGER touch_insert AFTER INSERT ON history_subscription
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_touch('subscriptions');
CREATE OR REPLACE TRIGGER touch_update AFTER UPDATE ON history_subscription
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_touch('subscriptions');
CREATE OR REPLACE TRIGGER touch_insert AFTER INSERT ON credits_membertier
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_touch('tier');
CREATE OR REPLACE TRIGGER touch_update AFTER UPDATE ON credits_membertier
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_touch('tier');
CREATE OR REPLACE TRIGGER touch_insert AFTER INSERT ON benefits_claim
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_touch('claims');
CREATE OR REPLACE TRIGGER touch_update AFTER UPDATE ON benefits_claim
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_touch('claims');
CREATE OR REPLACE TRIGGER touch_insert AFTER INSERT ON benefits_segmentmember
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_listed();
CREATE OR REPLACE TRIGGER touch_delete AFTER DELETE ON benefits_segmentmember
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_listed();

DROP TRIGGER IF EXISTS guard_segmentevent ON benefits_segmentevent;
CREATE TRIGGER guard_segmentevent BEFORE UPDATE OR DELETE ON benefits_segmentevent
    FOR EACH ROW EXECUTE FUNCTION benefits_guard_append_only();
