-- How account n stands after all old transfers, by `Schedule`. For this connection only.
CREATE FUNCTION pg_temp.old_entries(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN n = 0 THEN {busy}
        WHEN n <= {partners} THEN ({busy} - n + {partners}) / {partners}
        -- One may be left over.
        WHEN n > {partners} + {around} THEN 0
        ELSE {rounds} + CASE WHEN
            (n - 1 - {partners}
             + CASE WHEN (n - 1 - {partners}) % 2 = 0 THEN 0 ELSE {around} - 2 * {rounds} % {around} END)
            % {around} * {inverse} % {around} / 2 < {begun} THEN 1 ELSE 0 END
    END
$$;

-- What it won, in amounts.
CREATE FUNCTION pg_temp.old_gain(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN n = 0 THEN pg_temp.old_entries(n)
        WHEN n <= {partners} THEN -pg_temp.old_entries(n)
        WHEN pg_temp.old_entries(n) % 2 = 0 THEN 0
        WHEN (n - 1 - {partners}) % 2 = 0 THEN -1
        ELSE 1
    END
$$;
