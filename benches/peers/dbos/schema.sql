-- What the application of the peer keeps, in the same database as what DBOS keeps (in its schema
-- `dbos`). Accounts are those of benches/sql/yardstick.sql. The row of a transfer is the row of its
-- workflow, so there is no table of transfers; an entry is named after the step that wrote it.
CREATE TABLE accounts (
    account_id bigint PRIMARY KEY,
    balance    numeric(28, 4) NOT NULL CHECK (balance >= 0),
    version    bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);

CREATE TABLE ledger_entries (
    transfer_id uuid NOT NULL,
    step        smallint NOT NULL,
    account_id  bigint NOT NULL,
    change      numeric(19, 4) NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (transfer_id, step)
);
