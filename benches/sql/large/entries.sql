INSERT INTO ledger_entries (account_id, version, transaction_id, transfer_index, kind, change,
                            balance_after, created_at)
SELECT account_id, version, transaction_id, 0, 'transfer', change, balance, at + interval '9 milliseconds'
FROM old, LATERAL (VALUES (source, source_version, -{amount}, source_balance),
                          (destination, destination_version, {amount}, destination_balance))
              AS leg (account_id, version, change, balance)
