-- Seals: every few seconds the entries of finished transactions are hashed into one block, and each
-- block's root covers the root before it. Whoever noted a root can show any later change.
--
-- The bytes that are hashed, so that anybody can rebuild them (`credits/verify_statement.py` does,
-- with Python's standard library alone):
--
--   text      a value as text in UTF-8: whole numbers in decimal, an instant as its microseconds
--             since 1970 (UTC), a day as YYYY-MM-DD, a UUID in lower case with hyphens, `alloc` as
--             its numbers joined by commas
--   field     the length of the text in bytes, a colon, the text, a comma (a netstring,
--             https://cr.yp.to/proto/netstrings.txt); a value that is absent is a hyphen and a comma
--   entry     the fields 'entry-1', member_id, op_id, posted_at, occurred_at, txid, orig_op, seq,
--             available_change, held_change, debt_change, available_after, held_after, debt_after,
--             day, kind, counter, alloc, reason, related, one after the other
--   leaf      SHA-256 of a byte 0 and the entry
--   tree      RFC 6962, section 2.1: the leaves in the order (txid, member_id, op_id); a pair is
--             SHA-256 of a byte 1, its left and its right; who has no partner moves up unchanged
--   header    the fields 'block-1', block, tx_lo, tx_hi, entry_count, available_sum, held_sum,
--             debt_sum, sealed_at
--   root      SHA-256 of a byte 2, the root of the block before (32 zero bytes before block 1),
--             the header, and the root of the tree

CREATE FUNCTION ledger.field(p_value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN p_value IS NULL THEN '-,' ELSE octet_length(p_value) || ':' || p_value || ',' END;

CREATE FUNCTION ledger.microseconds(p_at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ((extract(epoch FROM p_at) * 1000000)::bigint)::text;

CREATE FUNCTION ledger.leaf_of(e ledger.entry) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256('\x00'::bytea || convert_to(
    ledger.field('entry-1')
    || ledger.field(e.member_id::text) || ledger.field(e.op_id::text)
    || ledger.field(ledger.microseconds(e.posted_at))
    || ledger.field(ledger.microseconds(e.occurred_at))
    || ledger.field(e.txid::text) || ledger.field(e.orig_op::text) || ledger.field(e.seq::text)
    || ledger.field(e.available_change::text) || ledger.field(e.held_change::text)
    || ledger.field(e.debt_change::text) || ledger.field(e.available_after::text)
    || ledger.field(e.held_after::text) || ledger.field(e.debt_after::text)
    || ledger.field(to_char(e.day, 'YYYY-MM-DD')) || ledger.field(e.kind::text)
    || ledger.field(e.counter::text) || ledger.field(array_to_string(e.alloc, ','))
    || ledger.field(e.reason) || ledger.field(e.related),
    'UTF8'
));

CREATE FUNCTION ledger.tree_root(p_leaves bytea[]) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF cardinality(p_leaves) = 0 THEN
        RETURN sha256(''::bytea);
    END IF;
    WHILE cardinality(p_leaves) > 1 LOOP
        SELECT array_agg(CASE WHEN size = 2 THEN sha256('\x01'::bytea || pair) ELSE pair END ORDER BY n)
        INTO p_leaves
        FROM (
            SELECT (place - 1) / 2 AS n, count(*) AS size,
                   string_agg(hash, ''::bytea ORDER BY place) AS pair
            FROM unnest(p_leaves) WITH ORDINALITY u (hash, place)
            GROUP BY (place - 1) / 2
        ) pairs;
    END LOOP;
    RETURN p_leaves[1];
END
$$;

CREATE FUNCTION ledger.seal_root(s ledger.seal, p_tree bytea) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256('\x02'::bytea || s.prev_root || convert_to(
    ledger.field('block-1')
    || ledger.field(s.block::text) || ledger.field(s.tx_lo::text) || ledger.field(s.tx_hi::text)
    || ledger.field(s.entry_count::text) || ledger.field(s.available_sum::text)
    || ledger.field(s.held_sum::text) || ledger.field(s.debt_sum::text)
    || ledger.field(ledger.microseconds(s.sealed_at)),
    'UTF8'
) || p_tree);

-- The leaves behind a block's root, so that a changed row can be named and a member's line be
-- proved without hashing the whole block again.
CREATE TABLE ledger.seal_leaf (
    block bigint PRIMARY KEY,
    members bigint[] NOT NULL,
    ops uuid[] NOT NULL,
    leaves bytea[] NOT NULL,
    CHECK (cardinality(members) = cardinality(ops) AND cardinality(ops) = cardinality(leaves))
);
CREATE TRIGGER guard_change BEFORE UPDATE OR DELETE ON ledger.seal_leaf
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.seal_leaf ENABLE ALWAYS TRIGGER guard_change;
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON ledger.seal_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.seal_leaf ENABLE ALWAYS TRIGGER guard_truncate;

-- Which block an entry is in: the first whose tx_hi is above its transaction id.
CREATE UNIQUE INDEX seal_tx_hi ON ledger.seal (tx_hi);

-- How many page ranges of a month's index the sealer has summarised.
CREATE TABLE ledger.brin_mark (
    index_oid oid PRIMARY KEY,
    ranges int NOT NULL
);

-- Summarise the journal's closed page ranges (128 pages each), so that reading by transaction id
-- skips them; the range still being filled stays unsummarised, which makes inserting cheaper.
-- Returns how many it summarised; the rest is left for the next call.
CREATE FUNCTION ledger.summarize_closed(p_limit int DEFAULT 200) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    v record;
    v_done int := 0;
BEGIN
    FOR v IN
        SELECT x.indexrelid AS index_oid, coalesce(m.ranges, 0) AS ranges,
               (pg_relation_size(x.indrelid) / current_setting('block_size')::int / 128)::int AS closed
        FROM pg_inherits i
        JOIN pg_index x ON x.indrelid = i.inhrelid
        JOIN pg_class c ON c.oid = x.indexrelid
        JOIN pg_am a ON a.oid = c.relam AND a.amname = 'brin'
        LEFT JOIN ledger.brin_mark m ON m.index_oid = x.indexrelid
        WHERE i.inhparent = 'ledger.entry'::regclass
    LOOP
        WHILE v.ranges < v.closed AND v_done < p_limit LOOP
            PERFORM brin_summarize_range(v.index_oid::regclass, v.ranges::bigint * 128);
            v.ranges := v.ranges + 1;
            v_done := v_done + 1;
            INSERT INTO ledger.brin_mark VALUES (v.index_oid, v.ranges)
            ON CONFLICT (index_oid) DO UPDATE SET ranges = excluded.ranges;
        END LOOP;
    END LOOP;
    RETURN v_done;
END
$$;
