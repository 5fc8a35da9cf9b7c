-- Products, orders for them, and requests that may be sent again. How many pieces there are of a
-- product stands in a document, not here.

CREATE TABLE products (
    product_id uuid PRIMARY KEY,
    name       text NOT NULL,
    price      numeric(19, 4) NOT NULL CONSTRAINT price_is_positive CHECK (price > 0),
    currency   text NOT NULL CONSTRAINT currency_is_a_code CHECK (currency ~ '^[A-Z]{3}$'),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- An order has the id of its saga, which knows how far it has come. What stands here is what the
-- steps have done to the order itself.
CREATE TABLE orders (
    order_id               uuid PRIMARY KEY,
    -- Null where a teller placed it for nobody in particular.
    customer_id            uuid,
    placed_by              uuid NOT NULL,
    account_id             uuid NOT NULL,
    currency               text NOT NULL,
    total                  numeric(19, 4) NOT NULL CONSTRAINT total_is_positive CHECK (total > 0),
    state                  text NOT NULL DEFAULT 'placed',
    payment_transaction_id uuid,
    -- The saga that undoes it on demand: the last one that was begun.
    cancel_saga_id         uuid,
    created_at             timestamptz NOT NULL DEFAULT now(),
    updated_at             timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT state_is_known CHECK (state IN ('placed', 'open', 'confirmed', 'cancelled'))
);

CREATE INDEX orders_of_a_customer ON orders (customer_id, order_id);

CREATE TABLE order_items (
    order_id   uuid NOT NULL REFERENCES orders,
    position   smallint NOT NULL,
    product_id uuid NOT NULL REFERENCES products,
    -- As they were when it was ordered.
    name       text NOT NULL,
    price      numeric(19, 4) NOT NULL,
    quantity   integer NOT NULL CONSTRAINT quantity_is_positive CHECK (quantity > 0),
    -- Where the pieces are, as the order knows it; the stock's document has the same fact.
    stock      text NOT NULL DEFAULT 'none',
    PRIMARY KEY (order_id, position),
    CONSTRAINT each_product_once UNIQUE (order_id, product_id),
    CONSTRAINT stock_is_known CHECK (stock IN ('none', 'reserved', 'sold', 'returned'))
);

-- The barrier of what the steps do here: one row for each operation, in the database transaction of
-- its effect.
CREATE TABLE order_operations (
    operation_id uuid PRIMARY KEY,
    -- Null only inside the database transaction that performs it.
    outcome      jsonb,
    at           timestamptz NOT NULL DEFAULT now()
);

-- Failures that a request asked for and that happen once.
CREATE TABLE injected_failures (
    order_id uuid PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE idempotency_keys (
    -- The login that sent it.
    scope       uuid NOT NULL,
    key         text NOT NULL,
    -- SHA-256 of the request after parsing.
    fingerprint bytea NOT NULL,
    order_id    uuid NOT NULL,
    -- The first final answer, to the byte; null before there is one.
    status      integer,
    response    text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scope, key)
);

-- What a read found to disagree, and what it wrote instead.
CREATE TABLE repairs (
    repair_id  uuid PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT now(),
    order_id   uuid,
    product_id uuid NOT NULL,
    side       text NOT NULL,
    found      text NOT NULL,
    corrected  text NOT NULL,
    CONSTRAINT side_is_known CHECK (side IN ('order', 'stock'))
);

CREATE INDEX repairs_of_an_order ON repairs (order_id, at);
