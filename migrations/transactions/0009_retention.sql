-- What is long finished is deleted, with the key that it was asked for under.

-- The keys of services are none of those: what was paid under one can be taken back for as long as
-- the service knows it. Their scopes are derived from names (UUIDv5), those of logins are not.
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at)
    WHERE substr(scope::text, 15, 1) <> '5';
