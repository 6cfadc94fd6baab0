import type { Config } from '../config/config.js';
import { GatewayError } from '../errors.js';
import type { Emit } from '../observe/events.js';
import { methodLabel, type Route } from '../route/method-table.js';
import { delegate } from '../route/one-message.js';
import type { Call } from '../rpc/call.js';
import { isAboutItself, type Subject } from './about-itself.js';
import { type Book, bookOf, type Verdict } from './book.js';
import { shownNames, strangerOf } from './words.js';

/** What the holders of client certificates may do (docs/decisions/0025-client-rules.md). */
export interface ClientRules {
  /**
   * The call, as it may be served. Throws `not-allowed` if no rule allows it; where a rule wants to know whom it is about, reading
   * from what is returned does.
   */
  admit(call: Call, route: Route | undefined): Call;
  /** Is there nothing to hold a read against, so that it needs no `admit`? A reload changes it. */
  admitAll(): boolean;
}

export interface ClientRulesOptions {
  /** Read when it is needed: a reload changes it. */
  readonly section: Config['server']['clients'];
  /** Names as in the proto. Throws on bytes that are no such message. */
  readonly decodeRequest: (path: string, bytes: Buffer) => Readonly<Record<string, unknown>>;
  readonly emit: Emit;
}

interface Context extends ClientRulesOptions {
  /** Of the rules as they are now. */
  readonly book: () => Book;
}

export function createClientRules(options: ClientRulesOptions): ClientRules {
  const { section } = options;
  let book = bookOf(section.rules);
  const context: Context = {
    ...options,
    book() {
      if (book.from !== section.rules) book = bookOf(section.rules);
      return book;
    },
  };
  return {
    admit(call, route) {
      // Streams outlive reloads: one that came when there were no rules is looked at when there are some. Where nobody can show a
      // certificate there will be none before a restart.
      const outlives = route?.kind === 'keep-alive' && call.client !== undefined;
      if (section.mode === 'off' && !outlives) return call;
      if (route?.kind === 'keep-alive') return followed(context, call, route);
      const verdict = context.book().verdict(call, route);
      if (verdict.kind === 'itself')
        return reading(call, (message) => judge(context, call, verdict, message));
      tell(context, call, verdict);
      return call;
    },
    admitAll: () => section.mode === 'off',
  };
}

/** A stream is looked at when it begins, and with each message that is another one, or comes under other rules. */
function followed(context: Context, call: Call, route: Route): Call {
  let last: Buffer | undefined;
  let under: { readonly mode: string; readonly from: Book['from'] } | undefined;
  const look = (message: Buffer | undefined): void => {
    const { mode } = context.section;
    const book = context.book();
    const isNew = under?.mode !== mode || under.from !== book.from;
    const isOther = message !== undefined && last?.equals(message) !== true;
    if (!isNew && !isOther) return;
    under = { mode, from: book.from };
    last = message ?? last;
    if (mode === 'off') return;
    const verdict = book.verdict(call, route);
    if (verdict.kind !== 'itself') {
      if (isNew) tell(context, call, verdict);
    } else if (message !== undefined) judge(context, call, verdict, message);
  };
  look(undefined);
  return reading(call, look);
}

function reading(call: Call, look: (message: Buffer) => void): Call {
  return delegate(call, {
    async read() {
      const message = await call.read();
      if (message !== undefined) look(message);
      return message;
    },
  });
}

/** Of one that may write about itself: is this that? */
function judge(
  context: Context,
  call: Call,
  { rule }: Extract<Verdict, { kind: 'itself' }>,
  message: Buffer,
): void {
  const names = call.client?.names;
  const subject = subjectOf(context, call.path, message);
  const isItself = names !== undefined && subject !== undefined && isAboutItself(names, subject);
  const detail = isItself ? '' : strangerOf(call.path, names, rule, subject);
  tell(context, call, isItself ? { kind: 'allowed', rule } : { kind: 'forbidden', rule, detail });
}

/** undefined: it cannot be read, and who may write about himself only must be understood. */
function subjectOf({ decodeRequest }: Context, path: string, message: Buffer): Subject | undefined {
  try {
    const { hostname, ip } = decodeRequest(path, message);
    return { hostname: String(hostname ?? ''), ip: String(ip ?? '') };
  } catch {
    return undefined;
  }
}

/** Counts it; throws `not-allowed` where the mode is to enforce. */
function tell(
  { section, book, emit }: Context,
  call: Call,
  verdict: Exclude<Verdict, { kind: 'itself' }>,
): void {
  if (verdict.kind === 'allowed') {
    emit({ kind: 'client-allowed', rule: verdict.rule });
    return;
  }
  const { rule, detail } = verdict;
  const method = methodLabel(call.path);
  const isNews = book().isNews(`${rule} ${method} ${shownNames(call.client?.names)}`);
  const outcome = section.mode === 'enforce' ? 'refused' : 'warned';
  emit({ kind: 'client-forbidden', rule, outcome, method, isNews, detail });
  if (outcome === 'refused') throw new GatewayError('not-allowed', `manager-gateway: ${detail}`);
}
