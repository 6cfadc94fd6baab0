import type { Watched } from '../cache/onlooker.js';
import type { Config, Mode } from '../config/config.js';
import { codeOf, type ErrorCode, GatewayError } from '../errors.js';
import type { AnswerKind, Emit } from '../observe/events.js';
import type { RegistrationsPart } from '../registrations/create-registrations.js';
import type { Call, CallHandler, Reply } from '../rpc/call.js';
import type { Clock } from '../rpc/clock.js';
import type { Read, ReadAnswer, ReadHandler } from '../rpc/read.js';
import type { Tracing } from '../trace/tracing.js';
import type { Upstream } from '../upstream/upstream.js';
import type { Classifier } from './classify.js';
import { METHOD_TABLE, methodLabel, type Route, type Touched } from './method-table.js';
import { tapped } from './observe-read.js';
import { collectOne, delegate, unread } from './one-message.js';
import type { OpenEnded } from './open-ended.js';
import { agedEvent, provenance, sendReply } from './reply.js';

export interface DispatchOptions {
  readonly mode: () => Mode;
  /** The call, if its client may make it; throws `not-allowed` if not, at once or when it is read. */
  readonly admit: (call: Call, route: Route | undefined) => Call;
  /** Is there nothing that a client may not read? */
  readonly admitAll: () => boolean;
  readonly classifier: Classifier;
  /** What memory has, at once. */
  readonly answerNow: (read: Read) => ReadAnswer | undefined;
  /** The stages from the cache to the manager. */
  readonly answerRead: ReadHandler;
  /** For `observe`: finds out how it would have been answered, and is told what the manager said. */
  readonly watch: (read: Read) => Watched;
  /** Told of a write to these (undefined: nobody knows to what), when it may have been applied. */
  readonly written: (touched: Touched | undefined) => void;
  /** Has the manager refused what was asked, so that nothing has changed? */
  readonly isRefusal: (reply: Reply) => boolean;
  /** Resolves with the code that the call ended with. */
  readonly serveHealth: (call: Call, method: 'Check' | 'Watch') => Promise<number>;
  /** While true, health is answered here whatever the mode. */
  readonly draining: () => boolean;
  readonly registrations: Pick<RegistrationsPart, 'write' | 'saw' | 'heard'>;
  /** Ends a KeepAlive stream, and resolves with the code it ended with. */
  readonly shield: { serve(call: Call, mode: Mode): Promise<{ readonly code: number }> };
  readonly upstream: Pick<Upstream, 'forward'>;
  /** What is forwarded, and would not end by itself. */
  readonly openEnded: Pick<OpenEnded, 'forward'>;
  readonly requestTimeoutMs: Config['managers']['requestTimeoutMs'];
  readonly tracing: Pick<Tracing, 'call' | 'outgoing'>;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** How a call ended, for the metrics. */
type Ended = { readonly answer: AnswerKind; readonly code: number };

/** Decides what a call is, and sends it its way. */
export function createDispatch(options: DispatchOptions): CallHandler {
  const { clock, emit } = options;
  const report = (method: string, startedAtMs: number, { answer, code }: Ended): void =>
    emit({ kind: 'call-answered', method, answer, code, durationMs: clock.nowMs() - startedAtMs });
  return async (call) => {
    const startedAtMs = clock.nowMs();
    const method = methodLabel(call.path);
    try {
      const route = METHOD_TABLE.get(call.path);
      const ended = await options.tracing.call(call, method, () => serve(options, call, route));
      report(method, startedAtMs, ended);
    } catch (error) {
      const failure = error instanceof GatewayError ? error : unexpected(error);
      // Told here, where the method is known; whoever is above finds an error with a status, and nothing more to tell.
      if (failure !== error) emit({ kind: 'internal-error', where: method, error });
      report(method, startedAtMs, { answer: 'refused', code: failure.status.code });
      throw failure;
    }
  };
}

/** What is not ours says no more to a caller than that: no stack, no path. */
function unexpected(cause: unknown): GatewayError {
  return new GatewayError('internal', 'manager-gateway: internal error; see its log', { cause });
}

function serve(options: DispatchOptions, received: Call, route: Route | undefined): Promise<Ended> {
  const mode = options.mode();
  if (route?.kind === 'health') return serveHealth(options, received, route.method, mode);
  const call = options.admit(received, route);
  if (route?.kind === 'keep-alive') return keepAlive(options, call, mode);
  // Unread, so to nobody knows what; the mode may be another one by the time it is applied.
  if (mode === 'bypass' && route?.kind === 'write')
    return around(options, undefined, () => forward(options, call));
  if (mode === 'bypass' || route === undefined || route.kind === 'pass') return forward(options, call);
  return route.kind === 'read' ? serveRead(options, call, mode) : serveWrite(options, call, mode);
}

async function serveHealth(
  options: DispatchOptions,
  call: Call,
  method: 'Check' | 'Watch',
  mode: Mode,
): Promise<Ended> {
  if (mode !== 'answer' && !options.draining()) return forward(options, call, options.openEnded);
  return { answer: 'local', code: await options.serveHealth(call, method) };
}

async function keepAlive(options: DispatchOptions, call: Call, mode: Mode): Promise<Ended> {
  const { code } = await options.shield.serve(call, mode);
  return { answer: 'forwarded', code };
}

async function forward(
  options: DispatchOptions,
  call: Call,
  by: Pick<Upstream, 'forward'> = options.upstream,
): Promise<Ended> {
  const metadata = options.tracing.outgoing(call.metadata);
  const { code } = await by.forward(metadata === call.metadata ? call : delegate(call, { metadata }));
  return { answer: 'forwarded', code };
}

async function serveRead(options: DispatchOptions, call: Call, mode: 'answer' | 'observe'): Promise<Ended> {
  // Who shows a credential may be answered by it: nobody else's answer will do, and his is for nobody else.
  if (call.metadata.authorization !== undefined) return forward(options, call);
  const collected = await collectOne(call);
  if (collected.kind === 'other') return forward(options, unread(call, collected.messages, collected.ended));
  const { message } = collected;
  const question = options.classifier.question(call.path, message);
  if (question === undefined) return forward(options, unread(call, [message], true));
  options.registrations.heard(call.path, message);
  const { metadata, deadlineMs, mayAsk } = call;
  const read: Read = {
    question,
    metadata,
    message,
    deadlineMs,
    signal: undefined,
    attempts: 'several',
    ...(mayAsk !== undefined && { mayAsk }),
  };
  return mode === 'observe' ? observe(options, call, read) : answer(options, call, read);
}

async function answer(options: DispatchOptions, call: Call, read: Read): Promise<Ended> {
  const { clock, emit } = options;
  const answered = options.answerNow(read) ?? (await options.answerRead(waitingRead(read, call)));
  const nowMs = clock.nowMs();
  emit(agedEvent(methodLabel(call.path), answered, nowMs));
  await sendReply(call, answered.reply, provenance(answered, nowMs));
  return { answer: answered.source, code: answered.reply.status.code };
}

/** Its signal is asked for only when somebody has to wait: a hit makes no AbortController. */
function waitingRead(read: Read, call: Call): Read {
  return {
    ...read,
    get signal() {
      return call.signal;
    },
  };
}

async function observe(options: DispatchOptions, call: Call, read: Read): Promise<Ended> {
  const { clock } = options;
  const askedAtMs = clock.nowMs();
  const watched = options.watch(read);
  const seen = tapped(unread(call, [read.message], true), (reply) =>
    watched.saw({ reply, askedAtMs, answeredAtMs: clock.nowMs(), manager: '' }),
  );
  try {
    return await forward(options, seen);
  } finally {
    watched.ended();
  }
}

async function serveWrite(options: DispatchOptions, call: Call, mode: 'answer' | 'observe'): Promise<Ended> {
  const collected = await collectOne(call);
  // Whatever it is, in answering it counts: what makes all void that is remembered costs more than a write.
  if (mode === 'answer') refuseExcess(call);
  if (collected.kind === 'other') {
    return around(options, undefined, () =>
      forward(options, unread(call, collected.messages, collected.ended)),
    );
  }
  const { message } = collected;
  const touched = options.classifier.touched(call.path, message);
  return mode === 'observe'
    ? around(options, touched, () => observeWrite(options, call, message))
    : write(options, call, message, touched);
}

function refuseExcess(call: Call): void {
  const objection = call.mayAsk?.();
  if (objection !== undefined) throw objection;
}

/** A write that is not looked into may be applied at any moment while it is under way: it counts from both ends. */
async function around(
  options: DispatchOptions,
  touched: Touched | undefined,
  run: () => Promise<Ended>,
): Promise<Ended> {
  options.written(touched);
  try {
    return await run();
  } finally {
    options.written(touched);
  }
}

/** Says of an acknowledgement that the manager has not seen the write yet. */
const JOURNALED = { 'x-dfmgw-write': 'journaled' };

function observeWrite(options: DispatchOptions, call: Call, message: Buffer): Promise<Ended> {
  const seen = tapped(unread(call, [message], true), (reply) =>
    options.registrations.saw(call.path, message, reply),
  );
  return forward(options, seen);
}

/** A write counts before its caller hears of it: what he asks next is not answered with what was there before. */
async function write(
  options: DispatchOptions,
  call: Call,
  message: Buffer,
  touched: Touched | undefined,
): Promise<Ended> {
  const ownDeadlineMs = options.clock.nowMs() + options.requestTimeoutMs;
  const deadlineMs = Math.min(call.deadlineMs ?? Number.POSITIVE_INFINITY, ownDeadlineMs);
  const { path, signal } = call;
  const metadata = options.tracing.outgoing(call.metadata);
  let begun = false;
  try {
    const request = { path, metadata, message, deadlineMs, signal };
    const send = () => {
      begun = true;
      return options.registrations.write(request);
    };
    const { reply, journaled } = await (call.askInTurn?.(send) ?? send());
    if (!options.isRefusal(reply)) options.written(touched);
    await sendReply(call, reply, journaled ? JOURNALED : undefined);
    return { answer: journaled ? 'local' : 'forwarded', code: reply.status.code };
  } catch (error) {
    // Given up, it may be applied all the same.
    if (begun && !NEVER_SENT.has(codeOf(error))) options.written(touched);
    if (codeOf(error) !== 'manager-timeout' || deadlineMs === ownDeadlineMs) throw error;
    throw new GatewayError('deadline-exceeded', "the caller's deadline passed before the manager answered", {
      cause: error,
    });
  }
}

const NEVER_SENT = new Set<ErrorCode | undefined>(['overloaded', 'draining']);
