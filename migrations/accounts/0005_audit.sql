-- What was done about branches in doubt: who, when, upon what evidence and why. Append-only;
-- the tables `hazards` and `resolutions` say how things stand, this one how they came to it.

CREATE TABLE audit_trail (
    entry_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id uuid NOT NULL,
    participant    text NOT NULL,
    action         text NOT NULL,
    -- The login that did it; null for what happened by itself.
    actor          text,
    resolution_id  uuid,
    outcome        text,
    hazard         text,
    -- What was known at that moment.
    evidence       text,
    reason         text,
    detail         text,
    recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT action_is_known CHECK (action IN ('PROPOSED', 'CONFIRMATION_REFUSED', 'CONFIRMED',
        'FORCED', 'NOT_FORCED', 'RESULT', 'ACKNOWLEDGED')),
    CONSTRAINT outcome_is_known CHECK (outcome IN ('commit', 'abort')),
    CONSTRAINT only_results_come_by_themselves CHECK ((action = 'RESULT') = (actor IS NULL)),
    CONSTRAINT whoever_acts_says_why CHECK (
        action NOT IN ('PROPOSED', 'ACKNOWLEDGED') OR reason IS NOT NULL)
);

CREATE INDEX audit_trail_transaction ON audit_trail (transaction_id, entry_id);

-- A forced branch meets its decision once, however often the decision is delivered.
CREATE UNIQUE INDEX audit_trail_one_result ON audit_trail (transaction_id, participant)
    WHERE action = 'RESULT';

-- For the service's own role too; the trigger stops whoever was granted more.
REVOKE UPDATE, DELETE, TRUNCATE ON audit_trail FROM CURRENT_USER;

CREATE FUNCTION refuse_to_rewrite_the_audit_trail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only';
END $$;

CREATE TRIGGER audit_trail_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_trail
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_the_audit_trail();

-- Outcomes that are to be forced here, proposed directly at this bank because its coordinator is
-- what is lost. One that is confirmed is carried out in the same database transaction and then
-- stands in `resolutions`.
CREATE TABLE proposals (
    resolution_id  uuid PRIMARY KEY,
    transaction_id uuid NOT NULL,
    outcome        text NOT NULL,
    reason         text NOT NULL,
    -- What was known when it was proposed: a confirmation counts only while it is the same.
    evidence       text NOT NULL,
    proposed_by    text NOT NULL,
    proposed_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT outcome_is_known CHECK (outcome IN ('commit', 'abort'))
);

CREATE INDEX proposals_transaction ON proposals (transaction_id, proposed_at);

-- Whoever is named as the proposer of what was carried out did propose exactly that, so that the
-- check of four eyes compares the right pair.
CREATE FUNCTION check_against_the_proposal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM proposals
        WHERE resolution_id = NEW.resolution_id
          AND (transaction_id, outcome, reason, proposed_by)
              IS DISTINCT FROM (NEW.transaction_id, NEW.outcome, NEW.reason, NEW.proposed_by))
    THEN
        RAISE EXCEPTION 'resolution % is not what was proposed', NEW.resolution_id;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER resolutions_are_what_was_proposed BEFORE INSERT ON resolutions
    FOR EACH ROW EXECUTE FUNCTION check_against_the_proposal();

REVOKE UPDATE, DELETE, TRUNCATE ON proposals, resolutions FROM CURRENT_USER;

CREATE TRIGGER proposals_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proposals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_the_audit_trail();

CREATE TRIGGER resolutions_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON resolutions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_the_audit_trail();
