-- What every transfer pays for, and need not.

-- A currency never changes, and is looked at when it is written; as a constraint of the table it was
-- looked at whenever a balance changed.
CREATE DOMAIN currency_code AS char(3) CONSTRAINT currency_is_three_letters
    CHECK (VALUE ~ '^[A-Z]{3}$');
ALTER TABLE accounts DROP CONSTRAINT currency_is_three_letters;
ALTER TABLE accounts ALTER COLUMN currency TYPE currency_code;

-- A trigger that is called before an update locks the row once more, and writes that down. One that
-- is called after it refuses as well.
DROP TRIGGER finished_branches_are_final ON branches;
CREATE TRIGGER finished_branches_are_final AFTER UPDATE ON branches
    FOR EACH ROW WHEN (
        OLD.state <> NEW.state
        AND OLD.state <> 'PREPARED'
        AND NOT (OLD.state IN ('HEURISTIC_COMMIT', 'HEURISTIC_ABORT')
                 AND NEW.state = 'HEURISTIC_MIXED'))
    EXECUTE FUNCTION refuse_to_change_a_finished_branch();

DROP TRIGGER finished_parts_are_final ON saga_parts;
CREATE TRIGGER finished_parts_are_final AFTER UPDATE ON saga_parts
    FOR EACH ROW WHEN (OLD.state IN ('RELEASED', 'UNDONE') AND OLD.state <> NEW.state)
    EXECUTE FUNCTION refuse_to_change_a_finished_part();

-- As before, and without a query of its own, so that it becomes a part of the statement that asks. The
-- path names the database and the file.
CREATE OR REPLACE FUNCTION incarnation() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat_ws('/',
        (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
        pg_relation_filepath('coordinator_numbers'))
$$;

-- For statements that write only what is as it was when it was read: they fail as a whole, as any other
-- that has lost against another one, and may be tried again.
CREATE FUNCTION something_has_changed() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'something has changed since it was read' USING ERRCODE = 'serialization_failure';
END $$;
