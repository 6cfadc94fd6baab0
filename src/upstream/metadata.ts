import { Metadata as GrpcMetadata } from '@grpc/grpc-js';
import { isForwarded, type Metadata } from '../rpc/metadata.js';

/** Keys and values that gRPC allows (PROTOCOL-HTTP2.md, "Custom-Metadata"); grpc-js throws on any other. */
const LEGAL_KEY = /^[0-9a-z_.-]+$/;
const LEGAL_VALUE = /^[\x20-\x7e]*$/;

/**
 * Wire metadata as grpc-js wants it; hop-by-hop keys are left out. What gRPC does not allow (a value outside
 * printable ASCII) is left out too: no manager written with a gRPC library could have received it.
 */
export function toGrpcMetadata(metadata: Metadata): GrpcMetadata {
  const grpc = new GrpcMetadata();
  for (const key in metadata) {
    const value = metadata[key];
    if (value === undefined || !isForwarded(key) || !LEGAL_KEY.test(key)) continue;
    for (const one of typeof value === 'string' ? [value] : value) addValue(grpc, key, one);
  }
  return grpc;
}

function addValue(grpc: GrpcMetadata, key: string, value: string): void {
  if (!key.endsWith('-bin')) {
    if (LEGAL_VALUE.test(value)) grpc.add(key, value);
    return;
  }
  // HTTP/2 libraries join several values of one key by commas, which base64 does not contain.
  for (const part of value.split(',')) grpc.add(key, Buffer.from(part.trim(), 'base64'));
}

/** What grpc-js received, as it stands on the wire; hop-by-hop keys are left out. */
export function fromGrpcMetadata(grpc: GrpcMetadata): Metadata {
  const metadata: Record<string, string | readonly string[]> = {};
  const received = grpc.toJSON();
  for (const key of Object.keys(received)) {
    const values = received[key];
    if (values === undefined || values.length === 0 || !isForwarded(key)) continue;
    const texts = values.map(wireText);
    metadata[key] = texts.length === 1 ? (texts[0] as string) : texts;
  }
  return metadata;
}

/** Unpadded base64, as Go's library sends it: what a Go manager sent goes on as the same bytes. */
function wireText(value: string | Buffer): string {
  return typeof value === 'string' ? value : value.toString('base64').replace(/=+$/, '');
}

const UNITS: readonly (readonly [string, number])[] = [
  ['m', 1],
  ['S', 1_000],
  ['M', 60_000],
  ['H', 3_600_000],
];

/** `grpc-timeout` for `remainingMs`: at most eight digits, in the finest unit that holds them, rounded up. */
export function grpcTimeout(remainingMs: number): string {
  for (const [unit, factorMs] of UNITS) {
    const amount = Math.ceil(Math.max(remainingMs, 0) / factorMs);
    if (amount < 1e8) return `${amount}${unit}`;
  }
  return '99999999H';
}
