import { formatHostPort } from '../config/addresses.js';
import type { Config } from '../config/config.js';
import { show } from '../config/show.js';
import { GatewayError } from '../errors.js';

/** The admin API of a running gateway. Both reject with what is wrong, in words. */
export interface AdminClient {
  /** For people: where it is. */
  readonly url: string;
  get(path: string): Promise<unknown>;
  post(path: string, body: unknown): Promise<unknown>;
}

export interface AdminClientOptions {
  /** `http://host:port`; undefined: `admin.addr` of the configuration, on this machine. */
  readonly url: string | undefined;
  readonly config: Pick<Config, 'admin'>;
}

const TIMEOUT_MS = 10_000;

export function createAdminClient({ url: given, config }: AdminClientOptions): AdminClient {
  const url = given === undefined ? localUrl(config) : checked(given);
  const ask = async (path: string, init: RequestInit): Promise<unknown> => {
    let response: Response;
    try {
      response = await fetch(new URL(path, url), { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch (error) {
      const why = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      const detail = why instanceof Error ? why.message : String(why);
      const message = `no gateway answers at ${url} (${detail}); allowed: --admin http://host:port, or the configuration of one that runs here`;
      throw new GatewayError('manager-unavailable', message);
    }
    const body = await response.text();
    if (!response.ok)
      throw new GatewayError('manager-unavailable', `${url}: ${response.status} ${body.trim()}`);
    return JSON.parse(body);
  };
  return {
    url,
    get: (path) => ask(path, {}),
    post: (path, body) =>
      ask(path, {
        method: 'POST',
        headers: { authorization: `Bearer ${config.admin.token}` },
        body: JSON.stringify(body ?? null),
      }),
  };
}

function localUrl({ admin }: Pick<Config, 'admin'>): string {
  if (!admin.enable) {
    throw new GatewayError(
      'config-invalid',
      'admin.enable is false; allowed: true, or --admin http://host:port of a gateway that has it',
    );
  }
  const { host, port } = admin.addr;
  const any = host === '' || host === '0.0.0.0' || host === '::';
  return `http://${formatHostPort({ host: any ? '127.0.0.1' : host, port })}`;
}

function checked(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed !== undefined && /^https?:$/.test(parsed.protocol) && parsed.username + parsed.password === '')
    return url;
  throw new GatewayError('config-invalid', `--admin: found ${show(url)}; allowed: http://host:port`);
}
