INSERT INTO ledger_entries (account_id, change)
SELECT account_id, change
FROM generate_series(1, $1::bigint) AS n,
     LATERAL (VALUES (1 + n * 7919 % $2::bigint, -0.01), (1 + (n * 7919 + 1) % $2, 0.01)) AS leg (account_id, change)
