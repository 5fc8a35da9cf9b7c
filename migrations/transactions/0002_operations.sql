-- What needs a person: contradictions that were seen, and outcomes that were forced.

CREATE TABLE hazards (
    transaction_id  uuid NOT NULL,
    participant     text NOT NULL,
    hazard          text NOT NULL,
    detail          text,
    seen_at         timestamptz NOT NULL DEFAULT now(),
    acknowledged_at timestamptz,
    PRIMARY KEY (transaction_id, participant, hazard)
);

CREATE INDEX hazards_open ON hazards (seen_at) WHERE acknowledged_at IS NULL;

CREATE TABLE resolutions (
    resolution_id  uuid PRIMARY KEY,
    transaction_id uuid NOT NULL,
    participant    text NOT NULL,
    outcome        text NOT NULL,
    reason         text NOT NULL,
    -- The branch's state when it was proposed: a confirmation counts only while it is the same.
    evidence       text NOT NULL,
    proposed_by    uuid NOT NULL,
    proposed_at    timestamptz NOT NULL DEFAULT now(),
    confirmed_by   uuid,
    confirmed_at   timestamptz,
    result         text,
    CONSTRAINT outcome_is_known CHECK (outcome IN ('commit', 'abort')),
    CONSTRAINT four_eyes CHECK (confirmed_by <> proposed_by)
);

CREATE INDEX resolutions_transaction ON resolutions (transaction_id);
