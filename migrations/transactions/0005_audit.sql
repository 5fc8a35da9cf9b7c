-- What was done about transactions in doubt: who, when, upon what evidence and why. Append-only;
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

-- A proposal stays what it was proposed as; it may be confirmed once, and carried out once.
CREATE FUNCTION refuse_to_rewrite_a_proposal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'proposal % cannot be rewritten', OLD.resolution_id;
END $$;

CREATE TRIGGER proposals_are_not_rewritten BEFORE UPDATE ON resolutions
    FOR EACH ROW WHEN (
        (OLD.transaction_id, OLD.participant, OLD.outcome, OLD.reason, OLD.evidence,
         OLD.proposed_by, OLD.proposed_at)
        IS DISTINCT FROM
        (NEW.transaction_id, NEW.participant, NEW.outcome, NEW.reason, NEW.evidence,
         NEW.proposed_by, NEW.proposed_at)
        OR (OLD.confirmed_by IS NOT NULL AND NEW.confirmed_by IS DISTINCT FROM OLD.confirmed_by)
        OR (OLD.result IS NOT NULL AND NEW.result IS DISTINCT FROM OLD.result))
    EXECUTE FUNCTION refuse_to_rewrite_a_proposal();
