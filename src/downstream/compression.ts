import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { GatewayError } from '../errors.js';

/** gRPC's `deflate` is the zlib format (RFC 1950). */
export type Encoding = 'identity' | 'deflate' | 'gzip';

export const ACCEPTED_ENCODINGS = 'identity,deflate,gzip';

const UNPACK = { deflate: promisify(inflate), gzip: promisify(gunzip) };

/** `grpc-encoding` of a request. Throws GatewayError `unsupported-encoding`. */
export function parseEncoding(text: string | undefined): Encoding {
  if (text === undefined || text === 'identity') return 'identity';
  if (text === 'gzip' || text === 'deflate') return text;
  const shown = JSON.stringify(text.slice(0, 32));
  throw new GatewayError(
    'unsupported-encoding',
    `grpc-encoding ${shown} is not supported; ${ACCEPTED_ENCODINGS} are`,
  );
}

/**
 * One compressed message, unpacked, off the event loop. Output stops at `maxBytes`, so that a few bytes cannot
 * become gigabytes. Rejects with GatewayError `message-too-large` or `malformed-frame`.
 */
export async function unpack(packed: Buffer, encoding: Encoding, maxBytes: number): Promise<Buffer> {
  if (encoding === 'identity') {
    throw new GatewayError(
      'malformed-frame',
      'a message is marked as compressed, but grpc-encoding names no compression',
    );
  }
  try {
    return await UNPACK[encoding](packed, { maxOutputLength: Math.max(maxBytes, 1) });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new GatewayError(
        'message-too-large',
        `a message of over ${maxBytes} bytes when unpacked; ${maxBytes} are allowed (server.maxMessageBytes)`,
        { cause },
      );
    }
    throw new GatewayError(
      'malformed-frame',
      `a message is not valid ${encoding}: ${(cause as Error).message}`,
      { cause },
    );
  }
}
