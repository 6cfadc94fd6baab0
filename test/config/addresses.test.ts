import { describe, expect, test } from 'vitest';
import {
  formatHostPort,
  parseHostPort,
  parseListenAddress,
  parseManagerAddress,
} from '../../src/config/addresses.js';

describe('a manager address', () => {
  test.each([
    ['manager:65003', { resolve: 'one', host: 'manager', port: 65003, tls: 'fromFiles' }],
    ['manager', { resolve: 'one', host: 'manager', port: 65003, tls: 'fromFiles' }],
    ['http://manager', { resolve: 'one', host: 'manager', port: 65003, tls: 'off' }],
    ['http://manager:1/', { resolve: 'one', host: 'manager', port: 1, tls: 'off' }],
    ['HTTPS://10.0.0.1:443', { resolve: 'one', host: '10.0.0.1', port: 443, tls: 'on' }],
    ['https://[2001:db8::1]', { resolve: 'one', host: '2001:db8::1', port: 65003, tls: 'on' }],
    ['[::1]:7', { resolve: 'one', host: '::1', port: 7, tls: 'fromFiles' }],
    [
      'dns:///managers.svc.cluster.local.:65003',
      { resolve: 'every', host: 'managers.svc.cluster.local.', port: 65003, tls: 'fromFiles' },
    ],
    [
      'dragonfly_manager-0:65535',
      { resolve: 'one', host: 'dragonfly_manager-0', port: 65535, tls: 'fromFiles' },
    ],
  ])('%s is understood', (text, parsed) => {
    expect(parseManagerAddress(text)).toEqual({ text, ...parsed });
  });

  test.each([
    ['', 'it is empty'],
    [':65003', 'the host is missing'],
    ['http://', 'it is empty'],
    ['dns://resolver/manager:1', 'three slashes'],
    ['dns:///', 'it is empty'],
    ['grpc://manager:1', '"grpc" is not a scheme'],
    ['::1', 'an IPv6 address needs brackets'],
    ['http://2001:db8::1', 'an IPv6 address needs brackets'],
    ['[::g]:1', '"::g" in brackets is not an IPv6 address'],
    ['[10.0.0.1]:1', 'not an IPv6 address'],
    ['manager:', '"" is not a port'],
    ['manager:0', 'port 0 cannot be dialled'],
    ['manager:65536', 'port 65536 is above 65535'],
    ['manager:-1', '"-1" is not a port'],
    ['manager:http', '"http" is not a port'],
    ['manager:1/path', '"1/path" is not a port'],
    ['https://manager/path', '"manager/path" is not a host name'],
    ['a b:1', '"a b" is not a host name'],
    ['10.0.0.300:1', '"10.0.0.300" is not an IPv4 address'],
    ['a..b:1', '"a..b" is not a host name'],
    [' manager:1', '" manager" is not a host name'],
  ])('%j is refused', (text, why) => {
    expect(() => parseManagerAddress(text)).toThrow(why);
  });
});

describe('a listen address', () => {
  test.each([
    ['0.0.0.0:65003', '0.0.0.0', 65003],
    ['[::]:65003', '::', 65003],
    [':8000', '', 8000],
    ['localhost:0', 'localhost', 0],
  ])('%s is understood, and written back the same', (text, host, port) => {
    expect(parseListenAddress(text)).toEqual({ host, port });
    expect(formatHostPort({ host, port })).toBe(text);
  });

  test.each([
    ['8000', 'the port is missing'],
    ['0.0.0.0', 'the port is missing'],
    ['[::]', 'the port is missing'],
    [':::8000', 'is not a port'],
    ['*:8000', '"*" is not a host name'],
    [':70000', 'port 70000 is above 65535'],
    ['', 'it is empty'],
  ])('%j is refused', (text, why) => {
    expect(() => parseListenAddress(text)).toThrow(why);
  });
});

test('the address of a server has a port of its own', () => {
  expect(parseHostPort('redis:6379')).toEqual({ host: 'redis', port: 6379 });
  expect(() => parseHostPort('redis')).toThrow('the port is missing');
  expect(() => parseHostPort('redis:0')).toThrow('port 0 cannot be dialled');
});
