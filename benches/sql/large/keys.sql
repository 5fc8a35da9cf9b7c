-- All of them were sent under one login.
INSERT INTO idempotency_keys (scope, key, fingerprint, kind, transaction_ids, created_at)
SELECT '00000000-0000-4000-8000-000000000001'::uuid, md5(n::text)::uuid::text, sha256(n::text::bytea), 'transfer',
       ARRAY[transaction_id], at
FROM old
