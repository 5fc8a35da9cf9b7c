-- Transfers by saga.

-- Sagas: one row for each, and one for each line of its log. A saga's row changes by a
-- compare-and-set on (epoch, sequence) alone.

-- One row per process and start. Its lease, by this database's clock, covers every saga it owns.
CREATE TABLE saga_executors (
    executor_id uuid PRIMARY KEY,
    name        text NOT NULL,
    lease_until timestamptz NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sagas (
    saga_id  uuid PRIMARY KEY,
    kind     text NOT NULL,
    owner    uuid NOT NULL,
    epoch    integer NOT NULL DEFAULT 1,
    -- Number of the last line of its log.
    sequence integer NOT NULL,
    status   text NOT NULL,
    steps    text[] NOT NULL,
    -- What it carries from step to step, as JSON; kept as it was written.
    state    text NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT status_is_known CHECK (
        status IN ('STARTED', 'COMPENSATING', 'STUCK', 'COMMITTED', 'COMPENSATED')),
    CONSTRAINT steps_are_known CHECK (steps <@ ARRAY[
        'PENDING', 'RUNNING', 'DONE', 'FAILED', 'COMPENSATING', 'COMPENSATED', 'SKIPPED'])
) WITH (fillfactor = 70);

-- What recovery looks for.
CREATE INDEX sagas_open ON sagas (owner) WHERE status IN ('STARTED', 'COMPENSATING');

-- What operators look for.
CREATE INDEX sagas_stuck ON sagas (saga_id) WHERE status = 'STUCK';

CREATE TABLE saga_log (
    saga_id  uuid NOT NULL,
    sequence integer NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    event    text NOT NULL,
    step     smallint,
    reason   text,
    -- How often the executor had asked for what this line settles.
    attempts integer NOT NULL DEFAULT 0,
    PRIMARY KEY (saga_id, sequence)
);

-- What operators did about sagas stands in the audit trail, once for each bank that it concerns.
ALTER TABLE audit_trail DROP CONSTRAINT action_is_known;
ALTER TABLE audit_trail ADD CONSTRAINT action_is_known CHECK (action IN ('PROPOSED',
    'CONFIRMATION_REFUSED', 'CONFIRMED', 'FORCED', 'NOT_FORCED', 'RESULT', 'ACKNOWLEDGED',
    'SAGA_RETRIED', 'SAGA_SKIPPED'));
