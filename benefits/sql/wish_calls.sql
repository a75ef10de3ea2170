-- Benefits of which something changed that may let members have them: one row a benefit and
-- statement, in the commit of the change itself, and only where an open wish waits.
CREATE OR REPLACE FUNCTION benefits_call_wishes() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO benefits_wishcall (benefit_id)
    SELECT called.benefit_id
    FROM (SELECT DISTINCT benefit_id FROM changed) called
    WHERE EXISTS (
        SELECT 1 FROM benefits_wish wish
        WHERE wish.benefit_id = called.benefit_id AND wish.state = 'open');
    RETURN NULL;
END
$$;

-- The same for the rows of a benefit itself, of a release and of a bundle.
CREATE OR REPLACE FUNCTION benefits_call_wishes_of() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO benefits_wishcall (benefit_id)
    SELECT called.benefit_id
    FROM (
        SELECT changed.id AS benefit_id FROM changed WHERE TG_ARGV[0] = 'benefit'
        UNION
        SELECT item.benefit_id FROM changed JOIN benefits_bundleitem item ON item.bundle_id = changed.id
        WHERE TG_ARGV[0] = 'bundle'
    ) called
    WHERE EXISTS (
        SELECT 1 FROM benefits_wish wish
        WHERE wish.benefit_id = called.benefit_id AND wish.state = 'open');
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION benefits_call_wishes_of_draw() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO benefits_wishcall (benefit_id)
    SELECT DISTINCT release.benefit_id
    FROM changed
    JOIN benefits_release release ON release.id = changed.release_id
    WHERE EXISTS (
        SELECT 1 FROM benefits_wish wish
        WHERE wish.benefit_id = release.benefit_id AND wish.state = 'open');
    RETURN NULL;
END
$$;

-- Single units that come back are news for those alone who only miss a unit.
CREATE OR REPLACE FUNCTION benefits_call_wishes_for_slot() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO benefits_wishcall (benefit_id, only_for_units)
    SELECT DISTINCT release.benefit_id, true
    FROM changed
    JOIN benefits_release release ON release.id = changed.release_id
    WHERE changed.offered_to_id IS NULL AND EXISTS (
        SELECT 1 FROM benefits_wish wish
        WHERE wish.benefit_id = release.benefit_id AND wish.state = 'open' AND wish.needs_units);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION benefits_call_wishes_for_quota() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO benefits_wishcall (benefit_id, only_for_units)
    SELECT quota.benefit_id, true
    FROM benefits_quota quota
    WHERE quota.id = NEW.quota_id AND EXISTS (
        SELECT 1 FROM benefits_wish wish
        WHERE wish.benefit_id = quota.benefit_id AND wish.state = 'open' AND wish.needs_units);
    RETURN NULL;
END
$$;

-- Of a budget's benefits only those that it could not pay one of before.
CREATE OR REPLACE FUNCTION benefits_call_wishes_for_budget() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO benefits_wishcall (benefit_id, only_for_units)
    SELECT benefit.id, true
    FROM benefits_benefit benefit
    WHERE benefit.budget_id = NEW.id
      AND benefit.unit_cost <= NEW.amount - NEW.spent
      AND (benefit.unit_cost > OLD.amount - OLD.spent OR NEW.currency <> OLD.currency)
      AND EXISTS (
        SELECT 1 FROM benefits_wish wish
        WHERE wish.benefit_id = benefit.id AND wish.state = 'open' AND wish.needs_units);
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER wish_update AFTER UPDATE ON benefits_benefit
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_call_wishes_of('benefit');
CREATE OR REPLACE TRIGGER wish_update AFTER UPDATE ON benefits_bundle
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_call_wishes_of('bundle');
CREATE OR REPLACE TRIGGER wish_insert AFTER INSERT ON benefits_fairdraw
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_call_wishes_of_draw();
CREATE OR REPLACE TRIGGER wish_update AFTER UPDATE ON benefits_fairdraw
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_call_wishes_of_draw();
CREATE OR REPLACE TRIGGER wish_insert AFTER INSERT ON benefits_returnedslot
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_call_wishes_for_slot();
CREATE OR REPLACE TRIGGER wish_update AFTER UPDATE ON benefits_returnedslot
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_call_wishes_for_slot();
-- Rows that every claim writes: a condition of the trigger costs a claim next to nothing.
CREATE OR REPLACE TRIGGER wish_freed AFTER UPDATE ON benefits_quotause
    FOR EACH ROW WHEN (NEW.used < OLD.used) EXECUTE FUNCTION benefits_call_wishes_for_quota();
CREATE OR REPLACE TRIGGER wish_freed AFTER UPDATE ON benefits_budget
    FOR EACH ROW WHEN (NEW.amount > OLD.amount OR NEW.spent < OLD.spent OR NEW.currency <> OLD.currency)
    EXECUTE FUNCTION benefits_call_wishes_for_budget();

-- What says by itself of which benefit it is.
DO $$
DECLARE
    v_table text;
    v_verb text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY[
        'benefits_release', 'benefits_ruleversion', 'benefits_pricerow', 'benefits_quota',
        'benefits_openinghours', 'benefits_openingspan', 'benefits_bundleitem'
    ] LOOP
        FOREACH v_verb IN ARRAY ARRAY['insert', 'update', 'delete'] LOOP
            EXECUTE format(
                'CREATE OR REPLACE TRIGGER %I AFTER %s ON %I REFERENCING %s TABLE AS changed '
                'FOR EACH STATEMENT EXECUTE FUNCTION benefits_call_wishes()',
                'wish_' || v_verb, v_verb, v_table,
                CASE v_verb WHEN 'delete' THEN 'OLD' ELSE 'NEW' END
            );
        END LOOP;
    END LOOP;
END
$$;

-- Another claim of a member who wishes for what asks for claims. Beside what segments note, in one
-- trigger: claims are written in a rush.
CREATE OR REPLACE FUNCTION benefits_note_claims() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM benefits_segment WHERE kind = 'live' AND 'claims' = ANY (sources)
    ) THEN
        INSERT INTO benefits_membertouch (member_id, source)
        SELECT DISTINCT member_id, 'claims' FROM changed WHERE member_id IS NOT NULL;
    END IF;
    IF EXISTS (SELECT 1 FROM benefits_wish WHERE state = 'open' AND needs_claims) THEN
        INSERT INTO benefits_wishtouch (member_id)
        SELECT DISTINCT changed.member_id
        FROM changed
        JOIN benefits_wish wish ON wish.member_id = changed.member_id
            AND wish.state = 'open' AND wish.needs_claims;
    END IF;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER touch_insert AFTER INSERT ON benefits_claim
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_claims();

-- Wake the next p_limit wishes of each benefit that called: a benefit that a million wait for keeps
-- nobody else waiting. Calls that are committed by now are answered by one walk from the first
-- wish to the last; what calls while it walks is the next one. Returns how many calls were served.
-- A piece is read in the order of the index and ends at its last row, however many there are.
CREATE OR REPLACE FUNCTION benefits_answer_calls(p_calls integer, p_limit integer) RETURNS integer
LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan
SET enable_sort = off SET enable_bitmapscan = off SET enable_seqscan = off AS $$
DECLARE
    v_now constant timestamptz := zone_now();
    v_call record;
    v_ids bigint[];
    v_served integer := 0;
BEGIN
    FOR v_call IN
        SELECT id, benefit_id, only_for_units, after_wish
        FROM benefits_wishcall
        ORDER BY after_wish DESC, id
        LIMIT p_calls
        FOR UPDATE SKIP LOCKED
    LOOP
        -- One that was merged into an earlier one of this loop is gone.
        CONTINUE WHEN NOT EXISTS (SELECT 1 FROM benefits_wishcall WHERE id = v_call.id);
        IF v_call.after_wish = 0 THEN
            DELETE FROM benefits_wishcall WHERE id IN (
                SELECT id FROM benefits_wishcall
                WHERE benefit_id = v_call.benefit_id AND after_wish = 0 AND id <> v_call.id
                  AND (only_for_units OR NOT v_call.only_for_units)
                FOR UPDATE SKIP LOCKED
            );
        END IF;
        IF v_call.only_for_units THEN
            SELECT array_agg(id) INTO v_ids FROM (
                SELECT id FROM benefits_wish
                WHERE benefit_id = v_call.benefit_id AND id > v_call.after_wish
                  AND state = 'open' AND needs_units
                ORDER BY id LIMIT p_limit
                FOR UPDATE
            ) due;
        ELSE
            SELECT array_agg(id) INTO v_ids FROM (
                SELECT id FROM benefits_wish
                WHERE benefit_id = v_call.benefit_id AND id > v_call.after_wish AND state = 'open'
                ORDER BY id LIMIT p_limit
                FOR UPDATE
            ) due;
        END IF;
        UPDATE benefits_wish SET looks_at = v_now WHERE id = ANY (v_ids) AND looks_at > v_now;
        IF cardinality(v_ids) = p_limit THEN
            UPDATE benefits_wishcall SET after_wish = v_ids[p_limit] WHERE id = v_call.id;
        ELSE
            DELETE FROM benefits_wishcall WHERE id = v_call.id;
        END IF;
        v_served := v_served + 1;
    END LOOP;
    RETURN v_served;
END
$$;
