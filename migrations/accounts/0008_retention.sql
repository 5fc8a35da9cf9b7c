-- What is long finished is deleted.

-- Up to which transaction branches and parts of sagas have been deleted, raised in the same database
-- transaction: the books remain without them, and one that is missing above it is missed.
CREATE TABLE retention (
    only_one        boolean PRIMARY KEY DEFAULT true,
    deleted_through uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    CONSTRAINT one_row CHECK (only_one)
);

INSERT INTO retention DEFAULT VALUES;

-- Their ids say nothing of their age, and their transactions' do.
CREATE INDEX saga_operations_transaction ON saga_operations (transaction_id);

CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
