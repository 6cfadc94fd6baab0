import { list, text, time, unexpected } from '../../redis/reply.js';

/** One question as it lies in Redis, still sealed. */
export interface AskedRow {
  readonly key: string;
  readonly weight: number;
  readonly ageMs: number;
  readonly sealed: Buffer;
}

/** What READ_ASKED said; `count` with those of which there was nothing to be read. Throws on anything that it would not say. */
export function readAskedRows(
  reply: unknown,
  halfLifeMs: number,
): { readonly count: number; readonly usable: readonly AskedRow[] } {
  const [at, rows] = list(reply, 2);
  const nowUs = time(at);
  const all = list(rows).map((row) => readRow(row, nowUs, halfLifeMs));
  return { count: all.length, usable: all.filter((row) => row !== undefined) };
}

function readRow(row: unknown, nowUs: number, halfLifeMs: number): AskedRow | undefined {
  const [field, use, last, sealed] = list(row, 4);
  const [key, lastText] = [text(field), text(last)];
  if (!Buffer.isBuffer(sealed)) throw unexpected();
  if (key === '' || lastText === '' || sealed.length === 0) return undefined;
  const lastUs = Number(lastText);
  const weight = 2 ** (Number(text(use)) - lastUs / (halfLifeMs * 1000));
  // Of no script of ours; or Redis's clock was set back.
  if (!Number.isFinite(weight) || !Number.isFinite(lastUs)) return undefined;
  return { key, weight, ageMs: Math.max(0, (nowUs - lastUs) / 1000), sealed };
}
