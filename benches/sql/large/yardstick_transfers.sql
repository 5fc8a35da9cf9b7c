-- Who paid whom does not matter here, as long as it lies scattered.
INSERT INTO transfers (source, destination, amount)
SELECT 1 + n * 7919 % $2::bigint, 1 + (n * 7919 + 1) % $2, 0.01
FROM generate_series(1, $1::bigint) AS n
