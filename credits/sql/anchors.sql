-- What was published of the seals outside this database: one row for each line of the signed log.

CREATE TABLE ledger.anchor (
    n bigint PRIMARY KEY CHECK (n > 0),
    block bigint NOT NULL,
    line_hash text NOT NULL UNIQUE CHECK (line_hash ~ '^[0-9a-f]{64}$'),
    published_at timestamptz NOT NULL
);
CREATE TRIGGER guard_change BEFORE UPDATE OR DELETE ON ledger.anchor
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.anchor ENABLE ALWAYS TRIGGER guard_change;
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON ledger.anchor
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.anchor ENABLE ALWAYS TRIGGER guard_truncate;

-- Remember a line that stands in the log. Lines follow one another; a repeat changes nothing.
CREATE FUNCTION ledger.note_anchor(p_n bigint, p_block bigint, p_line_hash text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_n <> (SELECT coalesce(max(n), 0) + 1 FROM ledger.anchor)
        OR NOT EXISTS (SELECT FROM ledger.seal WHERE block = p_block)
    THEN
        RETURN false;
    END IF;
    INSERT INTO ledger.anchor VALUES (p_n, p_block, p_line_hash, public.zone_now())
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END
$$;
