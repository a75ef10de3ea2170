-- A tag that comes or goes is something that happened to its member: see touches.sql.
CREATE OR REPLACE TRIGGER touch_insert AFTER INSERT ON benefits_membertag
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_touch('tags');
CREATE OR REPLACE TRIGGER touch_delete AFTER DELETE ON benefits_membertag
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_touch('tags');
