-- Seal the next block and return its number; null when there is nothing to seal, or when somebody
-- else is sealing.
--
-- A block takes whole transactions, from where the last one ended up to the oldest transaction
-- still running: every transaction below that is over, so none can add an entry to a sealed block,
-- and one that commits late is in a later block. About `p_rows` entries a block. Safe to kill, to
-- repeat and to run twice at once.
CREATE OR REPLACE FUNCTION ledger.seal_next(p_rows int DEFAULT 5000) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    s ledger.seal;
    v_first bigint;
    v_cut bigint;
    v_members bigint[];
    v_ops uuid[];
    v_leaves bytea[];
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('ledger.seal_next')) THEN
        RETURN NULL;
    END IF;
    SELECT block + 1, tx_hi, root INTO s.block, s.tx_lo, s.prev_root
    FROM ledger.seal ORDER BY block DESC LIMIT 1;
    IF NOT FOUND THEN
        s.block := 1;
        s.tx_lo := 0;
        s.prev_root := decode(repeat('00', 32), 'hex');
    END IF;
    -- Read before the entries are: the statements below see whatever ended before this moment.
    s.tx_hi := txid_snapshot_xmin(txid_current_snapshot());
    SELECT min(txid) INTO v_first FROM ledger.entry WHERE txid >= s.tx_lo AND txid < s.tx_hi;
    IF v_first IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT txid INTO v_cut FROM ledger.entry WHERE txid >= s.tx_lo AND txid < s.tx_hi
    ORDER BY txid OFFSET p_rows LIMIT 1;
    IF FOUND THEN
        s.tx_hi := greatest(v_cut, v_first + 1);
    END IF;
    SELECT count(*), sum(available_change), sum(held_change), sum(debt_change),
           array_agg(member_id ORDER BY txid, member_id, op_id),
           array_agg(op_id ORDER BY txid, member_id, op_id),
           array_agg(ledger.leaf_of(e) ORDER BY txid, member_id, op_id)
    INTO s.entry_count, s.available_sum, s.held_sum, s.debt_sum, v_members, v_ops, v_leaves
    FROM ledger.entry e WHERE txid >= s.tx_lo AND txid < s.tx_hi;
    s.sealed_at := public.zone_now();
    -- What had been published when this was sealed: a log that is cut short later is found out.
    SELECT line_hash INTO s.anchor_reference FROM ledger.anchor ORDER BY n DESC LIMIT 1;
    s.anchor_reference := coalesce(s.anchor_reference, '');
    s.root := ledger.seal_root(s, ledger.tree_root(v_leaves));
    INSERT INTO ledger.seal SELECT s.*;
    INSERT INTO ledger.seal_leaf VALUES (s.block, v_members, v_ops, v_leaves);
    INSERT INTO ledger.rollup (block, counter, kind, entry_count, amount)
    SELECT s.block, counter, kind, count(*), -sum(available_change + held_change - debt_change)
    FROM ledger.entry WHERE txid >= s.tx_lo AND txid < s.tx_hi
    GROUP BY counter, kind;
    RETURN s.block;
END
$$;
