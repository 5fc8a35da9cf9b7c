-- What is long finished is deleted: what was recorded of the steps of sagas that are over, and keys.
CREATE INDEX order_operations_age ON order_operations (at);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
