-- Numbers by which a database that was put back to an earlier state is noticed, by itself or by the
-- coordinator's.

-- What the coordinator will act upon raises `own` in one lane, in the same database transaction;
-- `seen` is the highest of the coordinator's numbers on record here, by its lanes. Each list has a
-- lane to itself, so lists that are written side by side do not wait for each other.
CREATE TABLE coordinator_numbers (
    lane        smallint PRIMARY KEY,
    own         bigint NOT NULL DEFAULT 0,
    seen        bigint[] NOT NULL DEFAULT '{}',
    -- Copied from coordinator_pair, so that a list looks at one row: who changes it there changes
    -- every lane, and waits for the lists that are being written.
    session     uuid,
    incarnation text,
    CONSTRAINT number_not_negative CHECK (own >= 0)
) WITH (fillfactor = 50);

INSERT INTO coordinator_numbers (lane) SELECT generate_series(0, 7);

-- What changes when this database is started, failed over to, replaced by a copy, or filled anew.
CREATE FUNCTION incarnation() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat_ws('/',
        (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        pg_relation_filenode('coordinator_numbers'))
$$;

-- The coordinator's database this one deals with, and how they stand to each other. No row: they
-- have never been compared.
CREATE TABLE coordinator_pair (
    only_one                boolean PRIMARY KEY DEFAULT true,
    database_id             uuid NOT NULL,
    -- Under which the two were last found in step; null when they never were.
    coordinator_incarnation text,
    own_incarnation         text,
    -- Null while they are not in step.
    session                 uuid,
    state                   text NOT NULL,
    changed_at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT one_row CHECK (only_one),
    CONSTRAINT state_is_known CHECK (state IN ('in_step', 'behind', 'coordinator_behind')),
    CONSTRAINT session_when_in_step CHECK ((state = 'in_step') = (session IS NOT NULL))
);

-- What operators accepted as lost: the audit trail, never deleted.
CREATE TABLE reconciliations (
    reconciliation_id uuid PRIMARY KEY,
    database_id       uuid NOT NULL,
    state_before      text NOT NULL,
    own_before        bigint[] NOT NULL,
    seen_by_them      bigint[] NOT NULL,
    proposed_by       uuid NOT NULL,
    confirmed_by      uuid NOT NULL,
    reason            text NOT NULL,
    reconciled_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT four_eyes CHECK (confirmed_by <> proposed_by)
);
