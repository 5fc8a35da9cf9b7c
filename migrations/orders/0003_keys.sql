-- The service's own keys, and those it has seen of others.

CREATE TABLE signing_keys (
    kid         text PRIMARY KEY,
    private_key bytea NOT NULL CONSTRAINT signing_keys_private_key_length CHECK (octet_length(private_key) = 32),
    created_at  timestamptz NOT NULL DEFAULT now(),
    retired_at  timestamptz,
    forget_at   timestamptz,
    CONSTRAINT signing_keys_retired_and_forgotten CHECK ((retired_at IS NULL) = (forget_at IS NULL))
);

CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys ((true)) WHERE retired_at IS NULL;

CREATE TABLE key_cache (
    issuer     text NOT NULL,
    kid        text NOT NULL,
    public_key bytea NOT NULL CONSTRAINT key_cache_public_key_length CHECK (octet_length(public_key) = 32),
    fetched_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, kid)
);
