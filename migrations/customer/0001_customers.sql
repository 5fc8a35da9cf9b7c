-- Who people are.

CREATE TABLE customers (
    customer_id uuid PRIMARY KEY,
    name        text NOT NULL CONSTRAINT customers_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
    address     text NOT NULL CONSTRAINT customers_address_length CHECK (char_length(address) BETWEEN 1 AND 500),
    email       text CONSTRAINT customers_email_length CHECK (char_length(email) BETWEEN 1 AND 254),
    phone       text CONSTRAINT customers_phone_length CHECK (char_length(phone) BETWEEN 1 AND 40),
    -- Grows by one with each change; the ETag.
    version     bigint NOT NULL DEFAULT 1 CONSTRAINT customers_version_positive CHECK (version > 0),
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE logins (
    login_id      uuid PRIMARY KEY,
    username      text NOT NULL CONSTRAINT logins_username_unique UNIQUE
                  CONSTRAINT logins_username_plain CHECK (username ~ '^[a-z0-9][a-z0-9._-]{2,63}$'),
    -- argon2id in PHC string format.
    password_hash text NOT NULL CONSTRAINT logins_argon2id CHECK (password_hash LIKE '$argon2id$%'),
    role          text NOT NULL CONSTRAINT logins_role CHECK (role IN ('customer', 'teller', 'admin')),
    customer_id   uuid CONSTRAINT logins_customer REFERENCES customers,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT logins_customers_are_somebody CHECK (role <> 'customer' OR customer_id IS NOT NULL)
);

CREATE INDEX logins_customer_id ON logins (customer_id);
