INSERT INTO branches (transaction_id, state, currency, account_ids, changes, transfer_indexes,
                      share_participants, share_nets, descriptions, prepared_at, finished_at)
SELECT transaction_id, 'COMMITTED', 'USD',
       CASE WHEN source < destination THEN ARRAY[source, destination]
            ELSE ARRAY[destination, source] END,
       CASE WHEN source < destination THEN ARRAY[-{amount}, {amount}]
            ELSE ARRAY[{amount}, -{amount}] END,
       ARRAY[0, 0], ARRAY['bank-1'], ARRAY[0.00], ARRAY[NULL::text],
       at + interval '3 milliseconds', at + interval '9 milliseconds'
FROM old
