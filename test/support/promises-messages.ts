/** A protobuf field of text, below number 16. */
export function textField(number: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}

/** hostname 2, ip 3 in a v2 ListSchedulersRequest; each hostname is a question of its own. */
export function listSchedulersOf(hostname: string): Buffer {
  return Buffer.concat([textField(2, hostname), textField(3, '10.2.0.1')]);
}

/** Field 2,000 of a newer API, a varint and a length-delimited one. */
export const UNKNOWN_FIELDS = Buffer.from([0x80, 0x7d, 42, 0x8a, 0x7d, 3, 1, 2, 3]);

export const PATHS = {
  list: '/manager.v2.Manager/ListSchedulers',
  updateScheduler: '/manager.v2.Manager/UpdateScheduler',
  keepAlive: '/manager.v2.Manager/KeepAlive',
  unknownMethod: '/manager.v2.Manager/NoSuchMethod',
  unknownService: '/no.such.Service/X',
} as const;
