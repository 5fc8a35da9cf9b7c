-- What every transfer pays for, and need not.

-- What happened, as lines, each a JSON array of {at, event, participant, detail}. A line is added as
-- it is; a document would be taken apart and put together again at every step.
ALTER TABLE transactions ALTER COLUMN timeline DROP DEFAULT;
ALTER TABLE transactions ALTER COLUMN timeline TYPE text
    USING CASE WHEN timeline = '[]' THEN '' ELSE timeline::text || E'\n' END;
ALTER TABLE transactions ALTER COLUMN timeline SET DEFAULT '';

-- A trigger that is called before an update locks the row once more, and writes that down. One that
-- is called after it refuses as well.
DROP TRIGGER decisions_are_final ON transactions;
CREATE TRIGGER decisions_are_final AFTER UPDATE ON transactions
    FOR EACH ROW WHEN (OLD.status <> 'pending' AND NEW.status <> OLD.status)
    EXECUTE FUNCTION refuse_to_change_a_decision();

-- Recovery takes the oldest first: in this order it finds them without looking at what is done.
DROP INDEX transactions_open;
CREATE INDEX transactions_open ON transactions (transaction_id) WHERE settled_at IS NULL;

-- As before, and without a query of its own, so that it becomes a part of the statement that asks. The
-- path names the database and the file.
CREATE OR REPLACE FUNCTION incarnation() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat_ws('/',
        (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
        pg_relation_filepath('participant_numbers'))
$$;
