-- The tables hold their rows to the rules of `checks.sql`.

ALTER TABLE ledger.account ADD CONSTRAINT account_is_sound
    CHECK (ledger.is_account(bucket_keys, bucket_left, available, held, debt, status));

ALTER TABLE ledger.entry ADD CONSTRAINT entry_is_sound CHECK (ledger.is_entry(
    kind, available_change, held_change, debt_change, available_after, held_after, debt_after,
    seq, orig_op, reason, related
));
