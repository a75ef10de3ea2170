-- Charges, their lines and subscription events, one partition a month.
--
-- The partition key is the UUIDv7 made from the moment of the event: its first 48 bits are Unix
-- milliseconds, so a range of keys is a range of time (RFC 9562, section 5.7).

CREATE TABLE history_charge (
    id uuid PRIMARY KEY,
    wallet_id varchar(24) NOT NULL REFERENCES members_wallet (code),
    member_id bigint NOT NULL REFERENCES members_member (id),
    bill_no varchar(64) NOT NULL,
    order_no varchar(64) NOT NULL,
    merchant_reference varchar(64) NOT NULL,
    merchant_name varchar(128) NOT NULL,
    amount bigint NOT NULL,
    currency varchar(3) NOT NULL,
    refunded bigint NOT NULL DEFAULT 0,
    subscription_amount bigint NOT NULL DEFAULT 0,
    app_amount bigint NOT NULL DEFAULT 0,
    has_sound_lines boolean NOT NULL DEFAULT true,
    paid_at timestamptz NOT NULL,
    status varchar(10) NOT NULL,
    created_at timestamptz NOT NULL,
    credited_at timestamptz,
    credits_earned bigint,
    earn_op_id uuid,
    CONSTRAINT history_charge_amount_positive CHECK (amount > 0),
    CONSTRAINT history_charge_refunds_fit CHECK (refunded BETWEEN 0 AND amount),
    CONSTRAINT history_charge_parts_fit CHECK (
        subscription_amount >= 0 AND app_amount >= 0 AND subscription_amount + app_amount <= amount
    ),
    CONSTRAINT history_charge_credited_whole CHECK (
        (credited_at IS NULL) = (credits_earned IS NULL)
    )
) PARTITION BY RANGE (id);

-- A member's statement, newest first; the key orders it across partitions.
CREATE INDEX history_charge_statement ON history_charge (member_id, id DESC);
-- The drain that turns charges into credits, oldest first.
CREATE INDEX history_charge_uncredited ON history_charge (id)
    WHERE credited_at IS NULL AND status = 'succeeded';

CREATE TABLE history_charge_line (
    charge_id uuid NOT NULL REFERENCES history_charge (id),
    line_no smallint NOT NULL,
    service varchar(24) NOT NULL,
    title varchar(200) NOT NULL,
    amount bigint NOT NULL,
    is_recurring boolean NOT NULL DEFAULT false,
    subscription_reference varchar(64) NOT NULL DEFAULT '',
    PRIMARY KEY (charge_id, line_no)
) PARTITION BY RANGE (charge_id);

CREATE TABLE history_subscription_event (
    id uuid PRIMARY KEY,
    subscription_id uuid NOT NULL REFERENCES history_subscription (id),
    event_reference varchar(64) NOT NULL,
    status varchar(16) NOT NULL,
    is_trial boolean NOT NULL DEFAULT false,
    plan varchar(120) NOT NULL,
    price bigint NOT NULL,
    period_ends_at timestamptz NOT NULL,
    expiration_intent smallint,
    occurred_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL
) PARTITION BY RANGE (id);

-- A subscription's own history, newest first.
CREATE INDEX history_subscription_event_order
    ON history_subscription_event (subscription_id, id DESC);
