// HTTP in front of the workflow: as little of it as there can be.

import { createServer } from 'node:http';

import { transfer } from './transfer.js';

const KEY = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const AMOUNT = /^\d{1,15}(\.\d{1,4})?$/;
const STATUS = { committed: 201, refused: 409, compensated: 409 };

function answer(response, status, body) {
    const text = JSON.stringify(body);
    response.writeHead(status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
    });
    response.end(text);
}

async function read(request) {
    const chunks = [];
    for await (const chunk of request) {
        chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString());
}

function isTransfer({ source, destination, amount }) {
    const accounts = Number.isSafeInteger(source) && Number.isSafeInteger(destination);
    return accounts && source !== destination && AMOUNT.test(amount) && Number(amount) > 0;
}

async function post(request, response) {
    const key = request.headers['idempotency-key'] ?? '';
    const wanted = await read(request).catch(() => ({}));
    if (!KEY.test(key) || !isTransfer(wanted)) {
        return answer(response, 422, { status: 'invalid' });
    }
    const status = await transfer(key, wanted);
    return answer(response, STATUS[status], { transfer_id: key, status });
}

/** Listens on 127.0.0.1. `about` is what the health route says; nothing while not all is ready. */
export function listen(port, about) {
    const server = createServer((request, response) => {
        const route = `${request.method} ${request.url}`;
        if (route === 'GET /health') {
            const words = about();
            return answer(response, words ? 200 : 503, words ?? {});
        }
        if (route !== 'POST /transfers') {
            return answer(response, 404, { status: 'unknown' });
        }
        return post(request, response).catch((error) =>
            answer(response, 500, { status: 'failed', message: String(error) }),
        );
    });
    // Connections are kept for as long as the other side wants them.
    server.keepAliveTimeout = 0;
    server.listen(port, '127.0.0.1');
    return server;
}
