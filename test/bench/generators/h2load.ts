import { LIST_PATH, type Messages } from '../messages.js';
import { run } from '../processes.js';

/** So many connections with so many calls in flight on each. */
export interface Shape {
  readonly name: string;
  readonly connections: number;
  readonly streams: number;
}

export interface Load {
  readonly port: number;
  readonly shape: Shape;
  readonly seconds: number;
  readonly messages: Messages;
  /** Forwarded to the manager, because of a header that no answer from memory will do for. */
  readonly passing: boolean;
  readonly cores: string;
}

export interface Offered {
  readonly calls: number;
  readonly callsPerSecond: number;
}

/** As many calls as the target takes. Rejects if one of them failed, or was answered with other bytes than the manager's. */
export async function h2load(load: Load): Promise<Offered> {
  const { shape, messages } = load;
  const text = await run(
    'h2load',
    [
      ...['-c', String(shape.connections), '-m', String(shape.streams), '-D', `${load.seconds}`],
      ...['-d', messages.requestFile, '-H', 'content-type: application/grpc', '-H', 'te: trailers'],
      ...(load.passing ? ['-H', 'authorization: bench'] : []),
      `http://127.0.0.1:${load.port}${LIST_PATH}`,
    ],
    load.cores,
  );
  const { calls, callsPerSecond, failed, dataBytes } = parseH2load(text);
  if (failed > 0) throw new Error(`${failed} of ${calls} calls failed`);
  // h2load does not look at gRPC's status, but an answer without a message is shorter; those still on their way count for something.
  const short = dataBytes < calls * messages.answerBytes * 0.999;
  if (short) throw new Error(`${calls} calls were answered with ${dataBytes} bytes of messages`);
  return { calls, callsPerSecond };
}

export interface H2loadReport extends Offered {
  readonly failed: number;
  readonly dataBytes: number;
}

/** What h2load prints at its end. Throws if it is something else. */
export function parseH2load(text: string): H2loadReport {
  const number = (pattern: RegExp): number => {
    const found = pattern.exec(text)?.[1];
    if (found === undefined) throw new Error(`h2load did not print ${pattern.source}`);
    return Number(found);
  };
  return {
    calls: number(/(\d+) succeeded/),
    callsPerSecond: number(/finished in [\d.]+m?s, ([\d.]+) req\/s/),
    failed: number(/succeeded, (\d+) failed/),
    dataBytes: number(/\((\d+)\) data/),
  };
}
