-- What `benefits_take_claim` answers. Nulls where a field says nothing about the code.
CREATE TYPE benefits_take AS (
    code text,
    claim_id bigint,
    opens_at timestamptz,
    allowed integer,
    ledger_code text,
    available integer
);
