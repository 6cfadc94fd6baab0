import { isDescribed } from '../../../src/route/proto.js';
import { bytesOf, RECORDINGS, type Recorded, recordings } from '../recorded-calls.js';

/** Of real managers and their callers. */
const RECORDED: readonly Recorded[] = RECORDINGS.flatMap(recordings);

export interface RecordedMessage {
  readonly path: string;
  readonly bytes: Buffer;
}

/** Of the paths that proto/ describes. */
export const REQUESTS: readonly RecordedMessage[] = RECORDED.filter(({ path }) => isDescribed(path)).flatMap(
  ({ path, request }) => bytesOf(request ?? '').map((bytes) => ({ path, bytes })),
);

export const ANSWERS: readonly RecordedMessage[] = RECORDED.flatMap(({ path, response }) =>
  bytesOf(response).map((bytes) => ({ path, bytes })),
);

/** The bytes of all of them: what mutations are spliced with. */
export const MESSAGES: readonly Buffer[] = [...REQUESTS, ...ANSWERS].map(({ bytes }) => bytes);
