// The durable workflow: debit the source, credit the destination, and give the money back when there
// is nobody to credit.

import { DBOS } from '@dbos-inc/dbos-sdk';

import { change } from './accounts.js';

// To give up between debit and credit would be to lose money, so a database that is away for a while
// is waited for.
const RETRIES = { retriesAllowed: true, maxAttempts: 8, intervalSeconds: 0.1, backoffRate: 2 };

function step(number, name, account, amount) {
    const transfer = DBOS.workflowID;
    return DBOS.runStep(() => change(transfer, number, account, amount), { name, ...RETRIES });
}

async function run(source, destination, amount) {
    if (!(await step(1, 'debit', source, `-${amount}`))) {
        return 'refused';
    }
    if (await step(2, 'credit', destination, amount)) {
        return 'committed';
    }
    await step(3, 'give back', source, amount);
    return 'compensated';
}

const workflow = DBOS.registerWorkflow(run, { name: 'transfer' });

/** Runs a transfer to its end, once for each key: `committed`, `refused` or `compensated`. */
export async function transfer(key, { source, destination, amount }) {
    const start = DBOS.startWorkflow(workflow, { workflowID: key });
    const handle = await start(source, destination, amount);
    return handle.getResult();
}
