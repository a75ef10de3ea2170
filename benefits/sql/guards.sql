-- What a claim is never changes; only where it stands does. Nothing that a claim names goes away.
CREATE FUNCTION benefits_guard_claim() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a claim is never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.public_id, NEW.member_id, NEW.release_id, NEW.benefit_id, NEW.slot, NEW.op_id,
        NEW.price_credits, NEW.livemode)
       IS DISTINCT FROM
       (OLD.public_id, OLD.member_id, OLD.release_id, OLD.benefit_id, OLD.slot, OLD.op_id,
        OLD.price_credits, OLD.livemode) THEN
        RAISE EXCEPTION 'a claim keeps its owner, slot, operation and price'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_claim BEFORE UPDATE OR DELETE ON benefits_claim
    FOR EACH ROW EXECUTE FUNCTION benefits_guard_claim();

CREATE FUNCTION benefits_guard_append_only() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% only takes new rows', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER guard_claimevent BEFORE UPDATE OR DELETE ON benefits_claimevent
    FOR EACH ROW EXECUTE FUNCTION benefits_guard_append_only();
CREATE TRIGGER guard_benefitevent BEFORE UPDATE OR DELETE ON benefits_benefitevent
    FOR EACH ROW EXECUTE FUNCTION benefits_guard_append_only();
CREATE TRIGGER guard_benefitterms BEFORE UPDATE OR DELETE ON benefits_benefitterms
    FOR EACH ROW EXECUTE FUNCTION benefits_guard_append_only();

-- Claims carry no foreign-key check on these tables (it would lock one row for a whole drop), so
-- the check is made here, on the rare side.
CREATE FUNCTION benefits_guard_named_by_claims() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    v_named boolean;
BEGIN
    IF TG_TABLE_NAME = 'benefits_release' THEN
        SELECT EXISTS (SELECT 1 FROM benefits_claim WHERE release_id = OLD.id) INTO v_named;
    ELSE
        SELECT EXISTS (SELECT 1 FROM benefits_claim WHERE benefit_id = OLD.id) INTO v_named;
    END IF;
    IF v_named THEN
        RAISE EXCEPTION 'claims name this row' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER guard_release BEFORE DELETE ON benefits_release
    FOR EACH ROW EXECUTE FUNCTION benefits_guard_named_by_claims();
CREATE TRIGGER guard_benefit BEFORE DELETE ON benefits_benefit
    FOR EACH ROW EXECUTE FUNCTION benefits_guard_named_by_claims();
