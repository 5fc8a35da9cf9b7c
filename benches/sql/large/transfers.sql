-- The old transfers $1 to $2, by `Schedule`: who, when ($3: the first one's time in milliseconds, $4:
-- how many milliseconds they are spread over), and how both accounts stand afterwards.
WITH numbered AS (
    SELECT n, $3::bigint + n * $4::bigint / {transfers} AS millisecond,
           n % {every} = 0 AS busy, n / {every} AS turn,
           (n - n / {every} - 1) / {pairs} AS round, (n - n / {every} - 1) % {pairs} AS pair
    FROM generate_series($1::bigint, $2::bigint) AS n
), placed AS (
    SELECT numbered.*, round % 2 = 0 AS even_pays,
           1 + {partners} + 2 * pair * {scatter} % {around} AS even,
           1 + {partners} + ((2 * pair + 1) * {scatter} + 2 * round) % {around} AS odd
    FROM numbered
), told AS (
    SELECT n, millisecond,
           CASE WHEN busy THEN 1 + turn % {partners} WHEN even_pays THEN even ELSE odd END AS source,
           CASE WHEN busy THEN 0 WHEN even_pays THEN odd ELSE even END AS destination,
           2 + CASE WHEN busy THEN turn / {partners} ELSE round END AS source_version,
           2 + CASE WHEN busy THEN turn ELSE round END AS destination_version,
           {opening} - {amount} * CASE WHEN busy THEN turn / {partners} + 1
                                       WHEN even_pays THEN 1 ELSE 0 END AS source_balance,
           {opening} + {amount} * CASE WHEN busy THEN turn + 1
                                       WHEN even_pays THEN 1 ELSE 0 END AS destination_balance
    FROM placed
), old AS (
    SELECT n, to_timestamp(millisecond / 1000.0) AS at,
           (lpad(to_hex(millisecond), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid
               AS transaction_id,
           {source_id} AS source, {destination_id} AS destination,
           source_version, destination_version, source_balance, destination_balance
    FROM told
)
