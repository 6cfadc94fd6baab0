import { Client, credentials, Metadata, type StatusObject } from '@grpc/grpc-js';
import type { Target } from './promises-wire.js';

/** What a client that people use makes of a call. */
export type GrpcOutcome = { readonly status: StatusObject; readonly messages: readonly Buffer[] };

const raw = (bytes: Buffer): Buffer => bytes;
const DEADLINE_MS = 20_000;

/** One call with grpc-js, on a connection of its own; as a stream, so that it need not bring one message. */
export async function grpcCall(
  { address, certificates }: Target,
  path: string,
  messages: readonly Buffer[],
): Promise<GrpcOutcome> {
  const secured =
    certificates &&
    credentials.createSsl(
      Buffer.from(certificates.caCert),
      Buffer.from(certificates.client.key),
      Buffer.from(certificates.client.cert),
    );
  const client = new Client(address, secured ?? credentials.createInsecure(), {
    // Also in the certificates; TLS knows no addresses as server names, and Node warns of them (DEP0123).
    'grpc.ssl_target_name_override': 'localhost',
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_receive_message_length': -1,
  });
  const deadline = Date.now() + DEADLINE_MS;
  const call = client.makeBidiStreamRequest(path, raw, raw, new Metadata(), { deadline });
  const received: Buffer[] = [];
  call.on('data', (message: Buffer) => received.push(message));
  // Every error comes as a status, too.
  call.on('error', () => undefined);
  for (const message of messages) call.write(message);
  call.end();
  const status = await new Promise<StatusObject>((resolve) => call.on('status', resolve));
  client.close();
  return { status, messages: received };
}
