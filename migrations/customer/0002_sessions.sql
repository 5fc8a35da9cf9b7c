-- A session is a login and all refresh tokens that came of it: the family that is revoked as one.

CREATE TABLE sessions (
    session_id uuid PRIMARY KEY,
    login_id   uuid NOT NULL CONSTRAINT sessions_login REFERENCES logins,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- However often it is refreshed, it ends here.
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);

CREATE INDEX sessions_login_id ON sessions (login_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    -- SHA-256 of the token: whoever reads this table cannot use what stands in it.
    token_hash        bytea PRIMARY KEY CONSTRAINT refresh_tokens_hash_length CHECK (octet_length(token_hash) = 32),
    session_id        uuid NOT NULL CONSTRAINT refresh_tokens_session REFERENCES sessions ON DELETE CASCADE,
    -- The access token that was issued with it, to revoke it too.
    access_token_id   uuid NOT NULL,
    access_expires_at timestamptz NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    used_at           timestamptz
);

CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);

CREATE TABLE revoked_tokens (
    token_id   uuid PRIMARY KEY,
    expires_at timestamptz NOT NULL
);

CREATE INDEX revoked_tokens_expires_at ON revoked_tokens (expires_at);

CREATE TABLE login_failures (
    -- SHA-256 of the user name as it was typed; it need not exist.
    username_hash bytea NOT NULL CONSTRAINT login_failures_hash_length CHECK (octet_length(username_hash) = 32),
    failed_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX login_failures_recent ON login_failures (username_hash, failed_at);
CREATE INDEX login_failures_failed_at ON login_failures (failed_at);
