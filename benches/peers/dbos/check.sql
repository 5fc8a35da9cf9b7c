-- What must be zero at the end, when every account began with $1 and there are $2 of them.
WITH entered AS (
    SELECT account_id, sum(change) AS change FROM ledger_entries GROUP BY account_id
)
SELECT (SELECT count(*) FROM dbos.workflow_status WHERE status <> 'SUCCESS') AS open_workflows,
       count(*) FILTER (WHERE balance <> $1::bigint + coalesce(change, 0)) AS wrong_balances,
       trim_scale(sum(balance) - $1::bigint * $2::bigint)::text AS money_made
FROM accounts LEFT JOIN entered USING (account_id);
