import type { Answer } from '../rpc/answer.js';
import { LARGEST_WHOLE_BYTES } from '../rpc/framed.js';
import { type Metadata, NO_METADATA } from '../rpc/metadata.js';
import type { Question } from '../rpc/question.js';
import type { Read, ReadAnswer } from '../rpc/read.js';
import type { AtOnce, ReadyAnswer } from '../rpc/ready-answer.js';
import { OK_STATUS } from '../rpc/status.js';
import type { DispatchOptions } from './dispatch.js';
import { METHOD_TABLE, methodLabel } from './method-table.js';
import { agedEvent, provenance } from './reply.js';

export interface AtOnceOptions
  extends Pick<
    DispatchOptions,
    'mode' | 'admitAll' | 'draining' | 'classifier' | 'registrations' | 'clock' | 'emit'
  > {
  /** What memory has, if it fits. */
  readonly answerAtOnce: (read: Read) => ReadAnswer | undefined;
  /** What health says; undefined: it has to look into the request. */
  readonly checkHealth: (request: Buffer) => Buffer | undefined;
}

/** Is it one message that goes out in one piece? */
export function fitsAtOnce({ reply: { message } }: Pick<Answer, 'reply'>): boolean {
  return message !== undefined && message.length <= LARGEST_WHOLE_BYTES;
}

/** Answers reads with what memory has, and health: what dispatch does with them, without a call that could wait. */
export function createAtOnce(options: AtOnceOptions): AtOnce {
  const { clock, emit } = options;
  // Asked twice for each call: a reload may have come since it began.
  const isOwnHealth = (): boolean => options.mode() === 'answer' || options.draining();
  const mayRead = (): boolean => options.mode() === 'answer' && options.admitAll();

  const checkHealth = (path: string, request: Buffer): ReadyAnswer | undefined => {
    const message = isOwnHealth() ? options.checkHealth(request) : undefined;
    if (message === undefined) return undefined;
    emit({ kind: 'call-answered', method: methodLabel(path), answer: 'local', code: 0, durationMs: 0 });
    return { headers: NO_METADATA, message, status: OK_STATUS, trailers: NO_METADATA };
  };

  const answerRead = (path: string, metadata: Metadata, message: Buffer): ReadyAnswer | undefined => {
    const nowMs = clock.nowMs();
    const question = mayRead() ? options.classifier.question(path, message) : undefined;
    const answered = question && options.answerAtOnce(readOf(question, metadata, message));
    const body = answered?.reply.message;
    if (answered === undefined || body === undefined) return undefined;
    options.registrations.heard(path, message);
    const { headers, status, trailers } = answered.reply;
    const method = methodLabel(path);
    emit(agedEvent(method, answered, nowMs));
    const durationMs = clock.nowMs() - nowMs;
    emit({ kind: 'call-answered', method, answer: answered.source, code: status.code, durationMs });
    return { headers, message: body, status, trailers: { ...trailers, ...provenance(answered, nowMs) } };
  };

  return {
    accepts(path, metadata) {
      const route = METHOD_TABLE.get(path);
      if (route?.kind === 'health') return route.method === 'Check' && isOwnHealth();
      // Who shows a credential may be answered by it: memory has nothing for him.
      return route?.kind === 'read' && metadata.authorization === undefined && mayRead();
    },
    answer: (path, metadata, message) =>
      METHOD_TABLE.get(path)?.kind === 'health'
        ? checkHealth(path, message)
        : answerRead(path, metadata, message),
  };
}

// Spelled out, because copies of objects cost more than all else here.
function readOf(question: Question, metadata: Metadata, message: Buffer): Read {
  return { question, metadata, message, deadlineMs: undefined, signal: undefined, attempts: 'several' };
}
