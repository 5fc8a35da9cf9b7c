// What a step does to an account: one statement, which is a database transaction of its own.
//
// DBOS runs a step again when it does not know that it was done, for instance after a crash between
// the step and the note that it is done. So the statement does nothing when the step's entry is there
// already, and answers as it did then.

import pg from 'pg';

import { settings } from './settings.js';

const CHANGE = `
    WITH already AS (
        SELECT FROM ledger_entries WHERE transfer_id = $1 AND step = $2
    ), changed AS (
        UPDATE accounts SET balance = balance + $4::numeric, version = version + 1
        WHERE account_id = $3 AND balance + $4::numeric >= 0 AND NOT EXISTS (SELECT FROM already)
        RETURNING account_id
    ), entered AS (
        INSERT INTO ledger_entries (transfer_id, step, account_id, change)
        SELECT $1, $2, account_id, $4 FROM changed
        RETURNING account_id
    )
    SELECT FROM already UNION ALL SELECT FROM entered`;

const pool = new pg.Pool({ connectionString: settings.url, max: settings.stepConnections });
// A connection that breaks while nobody uses it is replaced when somebody needs one.
pool.on('error', (error) => console.error(String(error)));

/** True when the account is there and its balance stays at or above zero. */
export async function change(transfer, step, account, amount) {
    const values = [transfer, step, account, amount];
    // A named statement is prepared once for each connection.
    const { rowCount } = await pool.query({ name: 'change', text: CHANGE, values });
    return rowCount === 1;
}
