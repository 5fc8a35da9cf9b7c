-- Numbers by which a database that was put back to an earlier state is noticed: this one, or a
-- participant's.

CREATE TABLE coordinator_database (
    only_one    boolean PRIMARY KEY DEFAULT true,
    -- Participants know this database by it, for as long as it is not made anew.
    database_id uuid NOT NULL DEFAULT gen_random_uuid(),
    CONSTRAINT one_row CHECK (only_one)
);

INSERT INTO coordinator_database DEFAULT VALUES;

-- A list of decisions raises `own` in one lane for each participant that it touches, in the same
-- statement; `seen` is the highest of the participant's numbers on record here, by its lanes. Each
-- list has a lane to itself, so lists that are written side by side do not wait for each other.
CREATE TABLE participant_numbers (
    participant text NOT NULL,
    lane        smallint NOT NULL,
    own         bigint NOT NULL DEFAULT 0,
    seen        bigint[] NOT NULL DEFAULT '{}',
    -- What this database was when the two were found in step, and what messages have to name;
    -- null while they are not.
    session     uuid,
    incarnation text,
    PRIMARY KEY (participant, lane),
    CONSTRAINT number_not_negative CHECK (own >= 0)
) WITH (fillfactor = 50);

-- What changes when this database is started, failed over to, replaced by a copy, or filled anew.
CREATE FUNCTION incarnation() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat_ws('/',
        (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        pg_relation_filenode('participant_numbers'))
$$;

-- How the last comparison ended. No row: they have never been compared.
CREATE TABLE participant_pairs (
    participant text PRIMARY KEY,
    state       text NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT state_is_known CHECK (state IN ('in_step', 'behind', 'coordinator_behind'))
);

-- What operators accepted as lost: the audit trail, never deleted.
CREATE TABLE reconciliations (
    reconciliation_id uuid PRIMARY KEY,
    participant       text NOT NULL,
    state             text NOT NULL,
    reason            text NOT NULL,
    proposed_by       uuid NOT NULL,
    proposed_at       timestamptz NOT NULL DEFAULT now(),
    confirmed_by      uuid,
    confirmed_at      timestamptz,
    reconciled_at     timestamptz,
    CONSTRAINT four_eyes CHECK (confirmed_by <> proposed_by)
);
