-- One database that does everything: what a program without services would keep.
CREATE TABLE accounts (
    account_id bigint PRIMARY KEY,
    balance    numeric(28, 4) NOT NULL CHECK (balance >= 0),
    version    bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);

CREATE TABLE transfers (
    transfer_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      bigint NOT NULL,
    destination bigint NOT NULL,
    amount      numeric(19, 4) NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE ledger_entries (
    account_id bigint NOT NULL,
    entry_id   bigint GENERATED ALWAYS AS IDENTITY,
    change     numeric(19, 4) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account_id, entry_id)
);

CREATE FUNCTION transfer(source bigint, destination bigint, amount numeric) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM accounts WHERE account_id IN (source, destination)
        ORDER BY account_id FOR UPDATE;
    UPDATE accounts SET balance = balance - amount, version = version + 1
        WHERE account_id = source;
    UPDATE accounts SET balance = balance + amount, version = version + 1
        WHERE account_id = destination;
    INSERT INTO ledger_entries (account_id, change) VALUES (source, -amount), (destination, amount);
    INSERT INTO transfers (source, destination, amount) VALUES (source, destination, amount);
END $$;
