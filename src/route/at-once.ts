import type { Metadata } from '../rpc/metadata.js';
import type { Question } from '../rpc/question.js';
import type { Read } from '../rpc/read.js';
import type { AtOnce } from '../rpc/ready-answer.js';
import type { DispatchOptions } from './dispatch.js';
import { METHOD_TABLE, methodLabel } from './method-table.js';
import { agedEvent, provenance } from './reply.js';

/** Larger ones are better sent at the pace of who reads them. */
const LARGEST_BYTES = 64 * 1024;

type Options = Pick<
  DispatchOptions,
  'mode' | 'admitAll' | 'classifier' | 'answerNow' | 'registrations' | 'clock' | 'emit'
>;

/** Answers reads with what memory has: what dispatch does with a hit, without a call that could wait. */
export function createAtOnce(options: Options): AtOnce {
  const { clock, emit } = options;
  return {
    // Who shows a credential may be answered by it: memory has nothing for him.
    accepts: (path, metadata) =>
      metadata.authorization === undefined &&
      options.mode() === 'answer' &&
      options.admitAll() &&
      METHOD_TABLE.get(path)?.kind === 'read',
    answer(path, metadata, message) {
      // A reload may have come since the call began.
      if (options.mode() !== 'answer' || !options.admitAll()) return undefined;
      const nowMs = clock.nowMs();
      const question = options.classifier.question(path, message);
      if (question === undefined) return undefined;
      const answered = options.answerNow(readOf(question, metadata, message));
      const body = answered?.reply.message;
      if (answered === undefined || body === undefined || body.length > LARGEST_BYTES) return undefined;
      options.registrations.heard(path, message);
      const { headers, status, trailers } = answered.reply;
      const method = methodLabel(path);
      emit(agedEvent(method, answered, nowMs));
      const durationMs = clock.nowMs() - nowMs;
      emit({ kind: 'call-answered', method, answer: answered.source, code: status.code, durationMs });
      return {
        headers,
        message: body,
        status,
        trailers: { ...trailers, ...provenance(answered, nowMs) },
      };
    },
  };
}

// Spelled out, because copies of objects cost more than all else here.
function readOf(question: Question, metadata: Metadata, message: Buffer): Read {
  return { question, metadata, message, deadlineMs: undefined, signal: undefined, attempts: 'several' };
}
