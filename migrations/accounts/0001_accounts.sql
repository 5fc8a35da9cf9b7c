-- Where money is: accounts with what is held on them, the branches that hold it, and the ledger.

-- Which participant this database belongs to. Written once: a service that is pointed at another
-- bank's database must not start.
CREATE TABLE participant (
    only_one       boolean PRIMARY KEY DEFAULT true,
    participant_id text NOT NULL,
    CONSTRAINT one_row CHECK (only_one)
);

CREATE TYPE account_kind AS ENUM ('customer', 'vault', 'clearing');
CREATE TYPE account_status AS ENUM ('active', 'frozen', 'closed');
CREATE TYPE account_locking AS ENUM ('escrow', 'exclusive');

CREATE TABLE accounts (
    account_id       uuid PRIMARY KEY,
    kind             account_kind NOT NULL DEFAULT 'customer',
    -- What a system account is for, such as vault:USD.
    purpose          text UNIQUE,
    customer_id      uuid,
    currency         char(3) NOT NULL,
    status           account_status NOT NULL DEFAULT 'active',
    locking          account_locking NOT NULL DEFAULT 'escrow',
    balance          numeric(28, 4) NOT NULL DEFAULT 0,
    pending_debits   numeric(28, 4) NOT NULL DEFAULT 0,
    pending_credits  numeric(28, 4) NOT NULL DEFAULT 0,
    -- Credited by unfinished sagas and not yet spendable.
    reserved_credits numeric(28, 4) NOT NULL DEFAULT 0,
    pending_change   numeric(28, 4) NOT NULL
                     GENERATED ALWAYS AS (pending_credits - pending_debits) STORED,
    overdraft_limit  numeric(19, 4) NOT NULL DEFAULT 0,
    -- The leg of the one prepared branch, on an exclusive account.
    transaction_lock uuid,
    -- How many ledger entries the account has.
    version          bigint NOT NULL DEFAULT 0,
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT currency_is_three_letters CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT customers_own_customer_accounts CHECK ((kind = 'customer') = (customer_id IS NOT NULL)),
    CONSTRAINT system_accounts_have_a_purpose CHECK ((kind = 'customer') = (purpose IS NULL)),
    CONSTRAINT held_debits_not_negative CHECK (pending_debits >= 0),
    CONSTRAINT held_credits_not_negative CHECK (pending_credits >= 0),
    CONSTRAINT reserved_credits_not_negative CHECK (reserved_credits >= 0),
    CONSTRAINT overdraft_limit_not_negative CHECK (overdraft_limit >= 0),
    CONSTRAINT version_not_negative CHECK (version >= 0),
    CONSTRAINT available_not_negative CHECK (
        kind <> 'customer'
        OR balance - pending_debits - reserved_credits + overdraft_limit >= 0),
    CONSTRAINT balance_below_limit CHECK (
        kind <> 'customer' OR balance + pending_credits < 1000000000000000),
    CONSTRAINT only_exclusive_accounts_are_locked CHECK (
        transaction_lock IS NULL OR locking = 'exclusive'),
    CONSTRAINT closed_accounts_are_empty CHECK (
        status <> 'closed'
        OR (balance = 0 AND pending_debits = 0 AND pending_credits = 0
            AND reserved_credits = 0 AND transaction_lock IS NULL))
) WITH (fillfactor = 70);

CREATE INDEX accounts_customer ON accounts (customer_id, account_id) WHERE customer_id IS NOT NULL;

-- Partial, so that an escrow account, which is never locked, keeps its heap-only updates.
CREATE UNIQUE INDEX accounts_transaction_lock ON accounts (transaction_lock)
    WHERE transaction_lock IS NOT NULL;

-- The part of a transaction at this participant. It carries its legs itself; a tombstone (an abort
-- that came before its prepare) carries nothing.
CREATE TABLE branches (
    transaction_id     uuid PRIMARY KEY,
    state              text NOT NULL,
    currency           char(3),
    -- Legs, sorted by account and transfer.
    account_ids        uuid[] NOT NULL DEFAULT '{}',
    changes            numeric[] NOT NULL DEFAULT '{}',
    transfer_indexes   integer[] NOT NULL DEFAULT '{}',
    -- What falls to each participant of the transaction, in global order.
    share_participants text[] NOT NULL DEFAULT '{}',
    share_nets         numeric[] NOT NULL DEFAULT '{}',
    -- By transfer index.
    descriptions       text[] NOT NULL DEFAULT '{}',
    -- Whose accounts may be debited; null when the caller may debit any.
    debits_owned_by    uuid,
    -- Why it was refused.
    reason             text,
    prepared_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at        timestamptz,
    CONSTRAINT state_is_known CHECK (state IN ('PREPARED', 'REFUSED', 'COMMITTED', 'ABORTED',
        'HEURISTIC_COMMIT', 'HEURISTIC_ABORT', 'HEURISTIC_MIXED')),
    CONSTRAINT legs_are_complete CHECK (
        cardinality(account_ids) = cardinality(changes)
        AND cardinality(account_ids) = cardinality(transfer_indexes)),
    CONSTRAINT shares_are_complete CHECK (cardinality(share_participants) = cardinality(share_nets)),
    CONSTRAINT only_a_tombstone_is_empty CHECK (
        (currency IS NOT NULL) OR (state = 'ABORTED' AND cardinality(account_ids) = 0)),
    CONSTRAINT refused_with_a_reason CHECK ((state = 'REFUSED') = (reason IS NOT NULL)),
    CONSTRAINT finished_unless_prepared CHECK ((state = 'PREPARED') = (finished_at IS NULL))
) WITH (fillfactor = 70);

CREATE INDEX branches_open ON branches (prepared_at) WHERE state = 'PREPARED';

-- A finished branch never changes, except that a forced one may turn out to be mixed.
CREATE FUNCTION refuse_to_change_a_finished_branch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'branch % is already %', OLD.transaction_id, OLD.state;
END $$;

CREATE TRIGGER finished_branches_are_final BEFORE UPDATE ON branches
    FOR EACH ROW WHEN (
        OLD.state <> NEW.state
        AND OLD.state <> 'PREPARED'
        AND NOT (OLD.state IN ('HEURISTIC_COMMIT', 'HEURISTIC_ABORT')
                 AND NEW.state = 'HEURISTIC_MIXED'))
    EXECUTE FUNCTION refuse_to_change_a_finished_branch();

CREATE TABLE ledger_entries (
    account_id     uuid NOT NULL,
    -- The account's version after this entry: 1, 2, 3, … without gaps.
    version        bigint NOT NULL,
    transaction_id uuid NOT NULL,
    transfer_index integer NOT NULL,
    kind           text NOT NULL,
    change         numeric(28, 4) NOT NULL,
    balance_after  numeric(28, 4) NOT NULL,
    description    text,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account_id, version),
    CONSTRAINT one_entry_for_a_leg UNIQUE (transaction_id, transfer_index, account_id),
    CONSTRAINT change_is_not_zero CHECK (change <> 0),
    CONSTRAINT version_is_positive CHECK (version > 0),
    CONSTRAINT kind_is_known CHECK (kind IN ('opening', 'deposit', 'withdrawal', 'transfer', 'clearing'))
);

-- Append-only, for the service's own role too; the triggers stop whoever was granted more.
REVOKE UPDATE, DELETE, TRUNCATE ON ledger_entries FROM CURRENT_USER;

CREATE FUNCTION refuse_to_rewrite_the_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: book a correcting entry';
END $$;

CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_the_ledger();
