import { METHOD_TABLE } from '../../src/route/method-table.js';
import { requestOf } from './data-path.js';
import type { WireCaller, WireOutcome } from './promises-wire.js';

export const SOMEBODY = { hostname: 'd7', ip: '127.0.0.7' };

/** One message with these fields and the half-close; an empty one where the gateway knows no such method. */
export function ask(caller: WireCaller, path: string, fields: object = SOMEBODY): Promise<WireOutcome> {
  const call = caller.open(path);
  void call.send(METHOD_TABLE.has(path) ? requestOf(path, fields) : Buffer.alloc(0));
  call.halfClose();
  return call.outcome;
}
