-- The ledger: one small mutable row per member, and an append-only journal beside it.
--
-- Everything here is written by the functions of this schema alone; the application's role may
-- read the tables and call the functions (see `guards.sql` and the command `setup_roles`).

CREATE SCHEMA ledger;

-- What every verb answers. `code` is 'ok', 'replayed' (this op was posted before; the first answer
-- follows) or the reason of a refusal, which has written nothing.
CREATE TYPE ledger.result AS (
    code text,
    op_id uuid,
    amount int,
    available int,
    held int,
    debt int,
    seq int,
    expires_on date,
    posted_at timestamptz
);

-- The highest local day ever used in each market: a clock that steps back cannot bring lapsed
-- credits to life. Every verb reads its market's row, so what else a verb must know stands here
-- too: when that day ends, and the range of operation ids whose partitions exist.
CREATE TABLE ledger.zone_day (
    zone smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    day date NOT NULL,
    floor int NOT NULL,
    ends_at timestamptz NOT NULL,
    first_op uuid NOT NULL,
    last_op uuid NOT NULL
);

-- One member's whole standing, the only row a verb locks. Columns that change on every operation
-- stand together at the end, and no index covers them, so that an update stays in its page and
-- logs about a hundred bytes. A bucket is one month end and one funding class (see `days.sql`).
CREATE TABLE ledger.account (
    member_id bigint PRIMARY KEY,
    zone smallint NOT NULL REFERENCES ledger.zone_day,
    status smallint NOT NULL DEFAULT 0,
    bucket_keys smallint[] NOT NULL DEFAULT '{}',
    debt int NOT NULL DEFAULT 0,
    held int NOT NULL DEFAULT 0,
    seq int NOT NULL DEFAULT 0,
    available int NOT NULL DEFAULT 0,
    -- The highest operation id posted: a higher one is surely new and need not be looked up.
    last_op uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    bucket_left int[] NOT NULL DEFAULT '{}'
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- The journal. One row is one entry: the member's side as three changes, the counter account
-- named beside it taking the opposite, so that no row can be unbalanced. `alloc` holds
-- (bucket key, amount) pairs for every bucket the entry touched. `op_id` is a UUIDv7 made by whoever
-- asked, and makes the entry happen once.
CREATE TABLE ledger.entry (
    member_id bigint NOT NULL,
    op_id uuid NOT NULL,
    posted_at timestamptz NOT NULL,
    occurred_at timestamptz,
    txid bigint NOT NULL DEFAULT txid_current(),
    orig_op uuid,
    seq int NOT NULL,
    available_change int NOT NULL,
    held_change int NOT NULL,
    debt_change int NOT NULL,
    available_after int NOT NULL,
    held_after int NOT NULL,
    debt_after int NOT NULL,
    day date NOT NULL,
    kind smallint NOT NULL,
    counter smallint NOT NULL,
    alloc int[] NOT NULL,
    reason text NOT NULL DEFAULT '',
    related text NOT NULL DEFAULT '',
    PRIMARY KEY (member_id, op_id)
) PARTITION BY RANGE (op_id);

-- The sealer reads the journal by transaction id, and an entry is found by its operation alone;
-- both rise with the pages. The sealer summarises closed ranges.
CREATE INDEX entry_brin ON ledger.entry USING brin (txid, op_id) WITH (pages_per_range = 128);

-- Credits set aside. `alloc` says which buckets they left and return to.
CREATE TABLE ledger.hold (
    member_id bigint NOT NULL,
    op_id uuid NOT NULL,
    amount int NOT NULL CHECK (amount > 0),
    captured int NOT NULL DEFAULT 0 CHECK (captured BETWEEN 0 AND amount),
    state smallint NOT NULL DEFAULT 0, -- 0 held, 1 captured, 2 voided, 3 expired
    counter smallint NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    resolved_at timestamptz,
    resolved_op uuid,
    alloc int[] NOT NULL,
    reason text NOT NULL DEFAULT '',
    related text NOT NULL DEFAULT '',
    PRIMARY KEY (member_id, op_id),
    CONSTRAINT hold_state_fits CHECK (
        state BETWEEN 0 AND 3
        AND (state = 0) = (resolved_op IS NULL)
        AND (state = 0) = (resolved_at IS NULL)
        AND (state = 1) = (captured > 0)
    )
) WITH (fillfactor = 80);
-- The sweep of lapsed holds.
CREATE INDEX hold_expiring ON ledger.hold (expires_at) WHERE state = 0 AND expires_at IS NOT NULL;

-- Which members have a bucket ending in a month: written when an earn opens one, deleted when the
-- month is settled. It stands in for an index on the account row.
CREATE TABLE ledger.lot_due (
    zone smallint NOT NULL,
    month smallint NOT NULL,
    member_id bigint NOT NULL,
    PRIMARY KEY (zone, month, member_id)
);

-- Credits promised but not yet earned: they wait for a return window or a thaw.
CREATE TABLE ledger.pending_earn (
    member_id bigint NOT NULL,
    op_id uuid NOT NULL,
    matures_at timestamptz,
    amount int NOT NULL CHECK (amount > 0),
    taken int NOT NULL DEFAULT 0 CHECK (taken BETWEEN 0 AND amount),
    until date,
    funding smallint NOT NULL,
    counter smallint NOT NULL,
    state smallint NOT NULL DEFAULT 0, -- 0 waiting, 1 earned, 2 canceled
    occurred_at timestamptz,
    created_at timestamptz NOT NULL,
    resolved_at timestamptz,
    reason text NOT NULL DEFAULT '',
    related text NOT NULL DEFAULT '',
    PRIMARY KEY (member_id, op_id),
    CONSTRAINT pending_earn_state_fits
        CHECK (state BETWEEN 0 AND 2 AND (state = 0) = (resolved_at IS NULL))
);
-- The drain of matured credits.
CREATE INDEX pending_earn_due ON ledger.pending_earn (matures_at) WHERE state = 0;

-- A member's closing standing of a closed month: the base for as-of reads and for archiving.
CREATE TABLE ledger.member_month (
    month smallint NOT NULL,
    member_id bigint NOT NULL,
    seq int NOT NULL,
    available int NOT NULL,
    held int NOT NULL,
    debt int NOT NULL,
    bucket_keys smallint[] NOT NULL,
    bucket_left int[] NOT NULL,
    PRIMARY KEY (member_id, month)
);

-- Who froze, thawed or closed an account, and why.
CREATE TABLE ledger.status_event (
    member_id bigint NOT NULL,
    at timestamptz NOT NULL,
    from_status smallint NOT NULL,
    to_status smallint NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    PRIMARY KEY (member_id, at)
);

-- One block of the tamper seal: every entry of the transactions [tx_lo, tx_hi), hashed.
CREATE TABLE ledger.seal (
    block bigint PRIMARY KEY,
    tx_lo bigint NOT NULL,
    tx_hi bigint NOT NULL,
    entry_count int NOT NULL,
    available_sum bigint NOT NULL,
    held_sum bigint NOT NULL,
    debt_sum bigint NOT NULL,
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    prev_root bytea NOT NULL CHECK (octet_length(prev_root) = 32),
    sealed_at timestamptz NOT NULL,
    anchor_reference text NOT NULL DEFAULT '',
    CHECK (tx_lo < tx_hi)
);

-- What a sealed block moved on each counter account, by kind.
CREATE TABLE ledger.rollup (
    block bigint NOT NULL,
    counter smallint NOT NULL,
    kind smallint NOT NULL,
    entry_count int NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (block, counter, kind)
);
