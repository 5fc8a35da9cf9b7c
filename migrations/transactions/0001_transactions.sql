-- The coordinator's memory. A transaction's fate hangs on one column of one row:
-- transactions.status leaves 'pending' once, by a compare-and-set on (status, epoch).

CREATE TYPE transaction_status AS ENUM ('pending', 'committed', 'aborted');

-- One row per coordinator process and start. Its lease, by this database's clock, covers every
-- transaction it owns, so keeping them costs one update and not one per transaction.
CREATE TABLE coordinators (
    coordinator_id uuid PRIMARY KEY,
    name           text NOT NULL,
    lease_until    timestamptz NOT NULL,
    started_at     timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE transactions (
    transaction_id   uuid PRIMARY KEY,
    status           transaction_status NOT NULL,
    phase            text NOT NULL,
    epoch            integer NOT NULL DEFAULT 1,
    owner            uuid NOT NULL,
    protocol         text NOT NULL,
    linked           boolean NOT NULL DEFAULT false,
    currency         char(3),
    -- In global order.
    participants     text[] NOT NULL,
    -- One for each transfer; a lone transfer has one.
    descriptions     text[] NOT NULL,
    reason           text,
    request_id       text NOT NULL,
    created_at       timestamptz NOT NULL,
    decided_at       timestamptz,
    settled_at       timestamptz,
    -- The client was answered 202; its replays are too.
    replied_unsettled boolean NOT NULL DEFAULT false,
    -- What is not told by the columns above: [{at, event, participant, detail}].
    timeline         jsonb NOT NULL DEFAULT '[]',
    CONSTRAINT phase_is_known CHECK (phase IN ('preparing', 'delivering', 'done', 'hazard')),
    CONSTRAINT decided_when_not_pending CHECK ((status = 'pending') = (decided_at IS NULL)),
    CONSTRAINT pending_while_preparing CHECK ((status = 'pending') = (phase = 'preparing')),
    CONSTRAINT reason_when_aborted CHECK ((status = 'aborted') = (reason IS NOT NULL)),
    CONSTRAINT settled_when_done CHECK ((phase = 'done') = (settled_at IS NOT NULL))
) WITH (fillfactor = 70);

-- What recovery looks for. The decision changes none of these columns, so it stays a heap-only
-- update.
CREATE INDEX transactions_open ON transactions (owner) WHERE settled_at IS NULL;

CREATE TABLE transfer_legs (
    -- Written in the same database transaction as its row in transactions.
    transaction_id uuid NOT NULL,
    position       smallint NOT NULL,
    -- Which transfer of a linked batch; 0 otherwise.
    transfer_index smallint NOT NULL,
    account_id     uuid NOT NULL,
    change         numeric(19, 4) NOT NULL,
    PRIMARY KEY (transaction_id, position),
    CONSTRAINT change_is_not_zero CHECK (change <> 0)
);

CREATE INDEX transfer_legs_account ON transfer_legs (account_id, transaction_id);

-- A terminal status never changes, whoever writes.
CREATE FUNCTION refuse_to_change_a_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'transaction % is already %', OLD.transaction_id, OLD.status;
END $$;

CREATE TRIGGER decisions_are_final BEFORE UPDATE ON transactions
    FOR EACH ROW WHEN (OLD.status <> 'pending' AND NEW.status <> OLD.status)
    EXECUTE FUNCTION refuse_to_change_a_decision();

-- A request and the key it was sent under, written in the database transaction that begins it.
CREATE TABLE idempotency_keys (
    scope           uuid NOT NULL,
    key             text NOT NULL,
    fingerprint     bytea NOT NULL,
    kind            text NOT NULL,
    transaction_ids uuid[] NOT NULL,
    -- For a batch: what was refused before it began, by index.
    refusals        jsonb,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (scope, key),
    CONSTRAINT kind_is_known CHECK (kind IN ('transfer', 'batch', 'linked'))
);

-- At which bank an account is kept, and whose it is. Neither ever changes.
CREATE TABLE account_directory (
    account_id  uuid PRIMARY KEY,
    participant text NOT NULL,
    customer_id uuid,
    currency    char(3) NOT NULL,
    found_at    timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX account_directory_customer ON account_directory (customer_id);
