-- A key that is closed: nothing was begun under it, and nothing ever will be. The row stands in the
-- way of whoever comes later.
ALTER TABLE idempotency_keys DROP CONSTRAINT kind_is_known;
ALTER TABLE idempotency_keys ADD CONSTRAINT kind_is_known
    CHECK (kind IN ('transfer', 'batch', 'linked', 'closed'));
ALTER TABLE idempotency_keys ADD CONSTRAINT closed_keys_began_nothing
    CHECK (kind <> 'closed' OR (cardinality(transaction_ids) = 0 AND refusals IS NULL));
