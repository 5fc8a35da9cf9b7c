INSERT INTO transfer_legs (transaction_id, position, transfer_index, account_id, change)
SELECT transaction_id, position, 0, account_id, change
FROM old, LATERAL (VALUES (0, source, -{amount}), (1, destination, {amount}))
              AS leg (position, account_id, change)
