import { z } from 'zod';
import type { Maintenance } from '../../cache/maintenance.js';
import type { Mode } from '../../config/config.js';
import type { Emit } from '../../observe/events.js';
import { authorised } from '../authorised.js';
import { type HttpReply, json, type PostRoute, text } from '../http-server.js';

/**
 * What does something, for whoever has the token: each is written to the log with who and what, and so is each refusal. Where no
 * body is taken nothing of it is written down either: it may be anything.
 */
export function createActs({ token, emit }: { token: string; emit: Emit }) {
  return (
    action: string,
    act: (body: unknown) => Promise<HttpReply> | HttpReply,
    takes: 'a body' | 'none' = 'a body',
  ): PostRoute => {
    const guarded = (from: string) =>
      authorised(token, async (body) => {
        const asked = parsed(body);
        const reply = await act(asked);
        const detail = takes === 'none' ? '' : detailOf(asked);
        if (reply.status < 300) emit({ kind: 'operator-acted', action, detail, from });
        return reply;
      });
    return async (posted) => {
      const reply = await guarded(posted.from)(posted);
      if (reply.status === 401) emit({ kind: 'operator-refused', action, from: posted.from });
      return reply;
    };
  };
}

/** undefined: nothing, or no JSON. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const DETAIL_LENGTH = 200;

function detailOf(asked: unknown): string {
  return asked === undefined ? '' : JSON.stringify(asked).slice(0, DETAIL_LENGTH);
}

const MODE = z.strictObject({ mode: z.enum(['answer', 'observe', 'bypass']) });

/** `POST /api/mode {mode}`: until the next one, or a restart. */
export function switchMode(setMode: (mode: Mode) => void): (body: unknown) => HttpReply {
  return (body) => {
    const asked = MODE.safeParse(body);
    if (!asked.success) return text(400, 'allowed: {"mode": "answer"}, "observe" or "bypass"\n');
    setMode(asked.data.mode);
    return json(200, asked.data);
  };
}

type Reloaded =
  | { readonly kind: 'read'; readonly change: object }
  | { readonly kind: 'refused'; readonly detail: string };

/** `POST /api/reload`. */
export function reloadConfig(reload: () => Reloaded): () => HttpReply {
  return () => {
    const done = reload();
    return done.kind === 'read' ? json(200, done.change) : text(409, `${done.detail}\n`);
  };
}

const MINUTES = z.strictObject({
  minutes: z.union([z.literal(0), z.literal(10), z.literal(30), z.literal(60)]),
});

/** `POST /api/maintenance {minutes}`: 10, 30 or 60; 0 ends it. */
export function maintain(maintenance: Maintenance): (body: unknown) => HttpReply {
  return (body) => {
    const asked = MINUTES.safeParse(body);
    if (!asked.success) return text(400, 'allowed: {"minutes": 10}, 30 or 60; 0 ends it\n');
    const { minutes } = asked.data;
    if (minutes === 0) maintenance.end();
    else maintenance.begin(minutes * 60_000);
    return json(200, { on: maintenance.on, leftMs: Math.round(maintenance.leftMs) });
  };
}
