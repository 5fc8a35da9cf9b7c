// Starts the peer: one process that hands connections out, and the workers that do the transfers.

import cluster from 'node:cluster';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

import { settings } from './settings.js';

async function lead() {
    const workers = [];
    for (let number = 1; number <= settings.workers; number += 1) {
        // By this name a worker that is started again finds the workflows it has to finish.
        const worker = cluster.fork({ PEER_EXECUTOR: `worker-${number}` });
        worker.on('exit', () => process.exit(1));
        // One after the other: the first one makes the tables of DBOS.
        await once(worker, 'listening');
        workers.push(worker);
    }
    for (const worker of workers) {
        worker.send('all are there');
    }
}

async function work() {
    const { DBOS } = await import('@dbos-inc/dbos-sdk');
    // Before the launch, which recovers workflows and so has to know them.
    const { listen } = await import('./server.js');
    DBOS.setConfig({
        name: 'peer',
        systemDatabaseUrl: settings.url,
        systemDatabasePoolSize: settings.stateConnections,
        executorID: process.env.PEER_EXECUTOR,
        applicationVersion: '1',
        logLevel: 'warn',
    });
    await DBOS.launch();
    let ready = false;
    process.on('message', () => {
        ready = true;
    });
    listen(settings.port, () => (ready ? about() : undefined));
}

/** What a figure has to be read with. */
function about() {
    const manifest = JSON.parse(readFileSync(new URL('package.json', import.meta.url)));
    const version = manifest.dependencies['@dbos-inc/dbos-sdk'];
    const { workers, stepConnections, stateConnections } = settings;
    const node = process.versions.node;
    return { engine: 'DBOS', version, node, workers, stepConnections, stateConnections };
}

await (cluster.isPrimary ? lead() : work());
