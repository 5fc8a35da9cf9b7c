-- Requests with the key they were sent under, and what needs a person.

-- Deposits, withdrawals and openings. Written in the database transaction that does the work,
-- refusals included: a request that failed under a key stays failed.
CREATE TABLE idempotency_keys (
    -- The login that sent it.
    scope          uuid NOT NULL,
    key            text NOT NULL,
    -- SHA-256 of the request after parsing.
    fingerprint    bytea NOT NULL,
    transaction_id uuid NOT NULL,
    -- Null only inside the database transaction that is doing the work.
    status         integer,
    -- The document, to the byte.
    response       text,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (scope, key)
);

-- Contradictions that were seen. They are never mended by themselves.
CREATE TABLE hazards (
    transaction_id  uuid NOT NULL,
    kind            text NOT NULL,
    detail          text NOT NULL,
    seen_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    acknowledged_at timestamptz,
    PRIMARY KEY (transaction_id, kind)
);

CREATE INDEX hazards_open ON hazards (seen_at) WHERE acknowledged_at IS NULL;

-- Outcomes that operators forced: who, why, and upon what evidence.
CREATE TABLE resolutions (
    resolution_id  uuid PRIMARY KEY,
    transaction_id uuid NOT NULL,
    outcome        text NOT NULL,
    expected_state text NOT NULL,
    resulting_state text NOT NULL,
    proposed_by    text NOT NULL,
    confirmed_by   text NOT NULL,
    reason         text NOT NULL,
    forced_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT outcome_is_known CHECK (outcome IN ('commit', 'abort')),
    CONSTRAINT four_eyes CHECK (confirmed_by <> proposed_by)
);

-- The sandbox of the race demonstration: no constraint protects it, and the ledger never sees it.
CREATE TABLE demo_accounts (
    account_id uuid PRIMARY KEY,
    balance    numeric(28, 4) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
