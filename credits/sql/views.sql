-- The books for reading, with a key of one column. They run with the reader's own rights, so that
-- nobody gains a way to write through them.

CREATE VIEW ledger.account_view WITH (security_invoker = true) AS
SELECT member_id, status, available, held, debt, seq,
       (
           SELECT coalesce(jsonb_agg(jsonb_build_object(
               'expires_on', ledger.expires_on(u.key), 'is_paid', u.key % 2 = 1, 'amount', u.amount
           ) ORDER BY u.place), '[]')
           FROM unnest(bucket_keys, bucket_left) WITH ORDINALITY u (key, amount, place)
       ) AS buckets
FROM ledger.account;

CREATE VIEW ledger.entry_view WITH (security_invoker = true) AS
SELECT member_id || '-' || op_id AS id, member_id, op_id, seq, kind, counter,
       available_change, held_change, debt_change, available_after, held_after, debt_after,
       day, posted_at, occurred_at, orig_op, reason, related
FROM ledger.entry;

CREATE VIEW ledger.hold_view WITH (security_invoker = true) AS
SELECT member_id || '-' || op_id AS id, member_id, op_id, amount, captured, state, counter,
       created_at, expires_at, resolved_at, reason, related
FROM ledger.hold;
