-- Transfers by saga, as far as this bank performs their steps.

-- Money that was taken from one account and has not reached another yet. Not used in this file: a
-- new value of a type can be used only after its migration is committed.
ALTER TYPE account_kind ADD VALUE 'in_transit';

-- Which step of a saga booked an entry: 1 debit, 2 credit, and -1, -2 what undid them. 0: none.
ALTER TABLE ledger_entries ADD COLUMN step smallint NOT NULL DEFAULT 0;
ALTER TABLE ledger_entries DROP CONSTRAINT one_entry_for_a_leg;
ALTER TABLE ledger_entries
    ADD CONSTRAINT one_entry_for_a_leg UNIQUE (transaction_id, transfer_index, account_id, step);
ALTER TABLE ledger_entries DROP CONSTRAINT kind_is_known;
ALTER TABLE ledger_entries ADD CONSTRAINT kind_is_known CHECK (
    kind IN ('opening', 'deposit', 'withdrawal', 'transfer', 'clearing', 'transit', 'refund'));
ALTER TABLE ledger_entries ADD CONSTRAINT step_is_known CHECK (step BETWEEN -2 AND 2);
-- What undoes a step is a refund, and nothing else is; only a saga has money in transit.
ALTER TABLE ledger_entries ADD CONSTRAINT kind_fits_step CHECK (
    (kind = 'refund') = (step < 0)
    AND (kind <> 'transit' OR step > 0)
    AND (step = 0 OR kind IN ('transfer', 'clearing', 'transit', 'refund')));

-- The barrier: one row for each operation, inserted before its effect and in the same database
-- transaction. Rows outlive every message that may still arrive: they are kept for as long as their
-- transaction's part is open, and 8 days more.
CREATE TABLE saga_operations (
    operation_id   uuid PRIMARY KEY,
    transaction_id uuid NOT NULL,
    outcome        text NOT NULL,
    -- Why it was refused.
    reason         text,
    recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT outcome_is_known CHECK (outcome IN ('DONE', 'REFUSED', 'CLOSED')),
    CONSTRAINT refused_with_a_reason CHECK ((outcome = 'REFUSED') = (reason IS NOT NULL))
);

-- The part of a saga's transfer at this bank, as far as its steps have come. What it would have to
-- undo or to release stands here, not in a message.
CREATE TABLE saga_parts (
    transaction_id     uuid PRIMARY KEY,
    state              text NOT NULL,
    currency           char(3) NOT NULL,
    -- As in the table branches.
    account_ids        uuid[] NOT NULL,
    changes            numeric[] NOT NULL,
    transfer_indexes   integer[] NOT NULL,
    share_participants text[] NOT NULL,
    share_nets         numeric[] NOT NULL,
    descriptions       text[] NOT NULL,
    debits_owned_by    uuid,
    opened_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT state_is_known CHECK (state IN ('DEBITED', 'CREDITED', 'RELEASED', 'UNDONE')),
    CONSTRAINT legs_are_complete CHECK (
        cardinality(account_ids) = cardinality(changes)
        AND cardinality(account_ids) = cardinality(transfer_indexes)),
    CONSTRAINT shares_are_complete CHECK (cardinality(share_participants) = cardinality(share_nets))
) WITH (fillfactor = 70);

CREATE INDEX saga_parts_open ON saga_parts (opened_at) WHERE state IN ('DEBITED', 'CREDITED');

-- A part that is over never changes.
CREATE FUNCTION refuse_to_change_a_finished_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the part of saga % is already %', OLD.transaction_id, OLD.state;
END $$;

CREATE TRIGGER finished_parts_are_final BEFORE UPDATE ON saga_parts
    FOR EACH ROW WHEN (OLD.state IN ('RELEASED', 'UNDONE') AND OLD.state <> NEW.state)
    EXECUTE FUNCTION refuse_to_change_a_finished_part();
