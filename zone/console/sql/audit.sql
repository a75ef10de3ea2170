-- The audit log: rows are added, never changed. Each carries the hash of the row before it.

CREATE FUNCTION console_audit_digest(event console_auditevent) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(event.previous_hash || convert_to(
        jsonb_build_array(
            event.id, extract(epoch FROM event.at), event.user_id, event.actor,
            host(event.address), event.request_id, event.action, event.object_type,
            event.object_id, event.object_name, event.before, event.after, event.reason
        )::text, 'UTF8'));
$$;

-- One writer at a time, until its commit: the order of the chain is the order of the commits.
-- Operators are few; the wait is a few milliseconds.
CREATE FUNCTION console_audit_chain() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    last console_auditevent;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('console_audit_chain'));
    SELECT * INTO last FROM console_auditevent ORDER BY id DESC LIMIT 1;
    NEW.id := coalesce(last.id, 0) + 1;
    NEW.previous_hash := coalesce(last.row_hash, '\x'::bytea);
    NEW.row_hash := console_audit_digest(NEW);
    RETURN NEW;
END;
$$;

CREATE TRIGGER console_auditevent_chain BEFORE INSERT ON console_auditevent
    FOR EACH ROW EXECUTE FUNCTION console_audit_chain();

CREATE FUNCTION console_audit_refuse() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'integrity_constraint_violation';
END;
$$;

CREATE TRIGGER console_auditevent_append_only BEFORE UPDATE OR DELETE ON console_auditevent
    FOR EACH ROW EXECUTE FUNCTION console_audit_refuse();
CREATE TRIGGER console_auditevent_never_empty BEFORE TRUNCATE ON console_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION console_audit_refuse();

-- The numbers of events whose own hash is wrong, or which do not follow the event before them.
CREATE FUNCTION console_audit_breaks() RETURNS SETOF bigint
LANGUAGE sql STABLE AS $$
    SELECT id
    FROM (
        SELECT event.id, event.row_hash, event.previous_hash,
               console_audit_digest(event) AS digest,
               lag(event.id, 1, 0::bigint) OVER ordered AS before_id,
               lag(event.row_hash, 1, '\x'::bytea) OVER ordered AS before_hash
        FROM console_auditevent event
        WINDOW ordered AS (ORDER BY event.id)
    ) chain
    WHERE row_hash <> digest OR previous_hash <> before_hash OR id <> before_id + 1;
$$;
