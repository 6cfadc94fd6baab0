// The least that a server over node:http2 can do for a call: it reads the request to its end and answers it with the
// same bytes, whatever it was. What the gateway costs above this is the gateway's own; what this costs is the engine's.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http2';
import { LIST_PATH } from '../messages.js';

const [port, answersFile] = process.argv.slice(2);
const answers = JSON.parse(readFileSync(answersFile ?? '', 'utf8')) as Record<string, string>;
const message = Buffer.from(answers[LIST_PATH] ?? '', 'base64');
const framed = Buffer.alloc(5 + message.length);
framed.writeUInt32BE(message.length, 1);
message.copy(framed, 5);

const HEADERS = { ':status': 200, 'content-type': 'application/grpc' };
const TRAILERS = { 'grpc-status': '0' };
const OPTIONS = { waitForTrailers: true, sendDate: false };

const server = createServer();
server.on('stream', (stream) => {
  stream.on('error', () => {});
  stream.on('wantTrailers', () => stream.sendTrailers(TRAILERS));
  stream.on('data', () => {});
  stream.on('end', () => {
    if (stream.destroyed) return;
    stream.respond(HEADERS, OPTIONS);
    stream.end(framed);
  });
});
server.listen(Number(port), '127.0.0.1');
