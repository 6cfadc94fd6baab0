import { isIP, isIPv4, isIPv6 } from 'node:net';
import type { ManagerAddress } from './config.js';

/** Where the manager's gRPC listens unless somebody moved it. */
const MANAGER_PORT = 65003;

/** `explicit`: the scheme decided; `fromFiles`: TLS if `managers.tls` holds a certificate. */
export type ParsedManagerAddress = Omit<ManagerAddress, 'tls'> & { readonly tls: 'on' | 'off' | 'fromFiles' };

/** `host` is empty for ":8000": every interface, both families. IPv6 without its brackets. Port 0: any free one. */
export type ListenAddress = { readonly host: string; readonly port: number };

/**
 * `host:port`, `http://host:port`, `https://host:port` or `dns:///host:port`; IPv6 in brackets, the port may be left out.
 * Throws a plain Error that says what is wrong with the text.
 */
export function parseManagerAddress(text: string): ParsedManagerAddress {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text);
  if (scheme === null) return { text, resolve: 'one', tls: 'fromFiles', ...dialled(text, MANAGER_PORT) };
  const rest = text.slice(scheme[0].length);
  switch (scheme[1]?.toLowerCase()) {
    case 'http':
      return { text, resolve: 'one', tls: 'off', ...dialled(withoutSlash(rest), MANAGER_PORT) };
    case 'https':
      return { text, resolve: 'one', tls: 'on', ...dialled(withoutSlash(rest), MANAGER_PORT) };
    case 'dns':
      if (!rest.startsWith('/')) throw new Error('dns: takes three slashes, no server of its own');
      return { text, resolve: 'every', tls: 'fromFiles', ...dialled(rest.slice(1), MANAGER_PORT) };
    default:
      throw new Error(`"${scheme[1]}" is not a scheme of a manager address`);
  }
}

/** `0.0.0.0:65003`, `[::]:65003`, `localhost:65003` or `:8000`. Throws a plain Error that says what is wrong. */
export function parseListenAddress(text: string): ListenAddress {
  const { host, port } = splitHostPort(text);
  if (port === undefined) throw new Error('the port is missing');
  if (host !== '') refuseBadHost(host);
  return { host, port };
}

/** `host:port`, the port required and not 0. Throws a plain Error that says what is wrong. */
export function parseHostPort(text: string): ListenAddress {
  const { host, port } = dialled(text);
  return { host, port };
}

/** An address as an operator writes it: brackets round IPv6. */
export function formatHostPort(address: ListenAddress): string {
  return isIPv6(address.host) ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

function dialled(text: string, portIfMissing?: number): ListenAddress {
  const { host, port = portIfMissing } = splitHostPort(text);
  if (host === '') throw new Error('the host is missing');
  refuseBadHost(host);
  if (port === undefined) throw new Error('the port is missing');
  if (port === 0) throw new Error('port 0 cannot be dialled');
  return { host, port };
}

function withoutSlash(text: string): string {
  return text.endsWith('/') ? text.slice(0, -1) : text;
}

function splitHostPort(text: string): { host: string; port: number | undefined } {
  if (text === '') throw new Error('it is empty');
  if (isIPv6(text)) throw new Error('an IPv6 address needs brackets');
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(text);
  if (bracketed !== null) {
    const host = bracketed[1] ?? '';
    if (!isIPv6(host)) throw new Error(`"${host}" in brackets is not an IPv6 address`);
    return { host, port: parsePort(bracketed[2]) };
  }
  const colon = text.indexOf(':');
  if (colon < 0) return { host: text, port: undefined };
  return { host: text.slice(0, colon), port: parsePort(text.slice(colon + 1)) };
}

function parsePort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`"${text}" is not a port`);
  const port = Number(text);
  if (port > 65535) throw new Error(`port ${port} is above 65535`);
  return port;
}

function refuseBadHost(host: string): void {
  if (isIP(host) !== 0) return;
  // "10.0.0.300" would go to DNS and fail there, long after the start.
  if (/^[\d.]+$/.test(host) && !isIPv4(host)) throw new Error(`"${host}" is not an IPv4 address`);
  if (
    host.length > 253 ||
    !/^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/.test(host) ||
    host.includes('..')
  ) {
    throw new Error(`"${host}" is not a host name`);
  }
}
