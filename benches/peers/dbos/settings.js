// What the benchmark tells the peer, and what suits the peer best when nobody tells it anything.

import { availableParallelism } from 'node:os';

const whole = (name, otherwise) => Number.parseInt(process.env[name] ?? otherwise, 10);

const url = process.env.PEER_DATABASE_URL;
if (!url) {
    throw new Error('PEER_DATABASE_URL is not set');
}

export const settings = {
    /** One database for the accounts and for the state of the workflows. */
    url,
    port: whole('PEER_PORT', '0'),
    /** PostgreSQL needs more than half of the work of a transfer, so half of the cores are for it. */
    workers: whole('PEER_WORKERS', String(Math.max(1, Math.floor(availableParallelism() / 2)))),
    /** Connections of each worker, by which its steps change accounts. */
    stepConnections: whole('PEER_STEP_CONNECTIONS', '10'),
    /** Connections of each worker, by which DBOS keeps the state of its workflows. */
    stateConnections: whole('PEER_STATE_CONNECTIONS', '10'),
};
