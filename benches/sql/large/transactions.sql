INSERT INTO transactions (transaction_id, status, phase, owner, protocol, currency, participants,
                          descriptions, request_id, created_at, decided_at, settled_at, timeline)
SELECT transaction_id, 'committed', 'done', driver.coordinator_id, '2pc', 'USD', ARRAY['bank-1'],
       ARRAY[NULL::text], md5('request ' || n)::uuid::text, at, at + interval '6 milliseconds',
       at + interval '10 milliseconds',
       replace(replace(
           '[{"at":"*1.123456789Z","event":"PREPARE_SENT","participant":"bank-1"},'
           '{"at":"*2.123456789Z","event":"VOTE_YES","participant":"bank-1"}]' || chr(10) ||
           '[{"at":"*2.123456789Z","event":"COMMIT_SENT","participant":"bank-1"},'
           '{"at":"*2.123456789Z","event":"ACKNOWLEDGED","participant":"bank-1"}]' || chr(10),
           '*1', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')),
           '*2', to_char((at + interval '6 milliseconds') AT TIME ZONE 'UTC',
                         'YYYY-MM-DD"T"HH24:MI:SS'))
FROM old, LATERAL (SELECT coordinator_id FROM coordinators ORDER BY started_at LIMIT 1) AS driver
