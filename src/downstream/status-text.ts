const PLAIN = /^[\x20-\x24\x26-\x7e]*$/;
const ESCAPED = /%[0-9a-fA-F]{2}/;

/**
 * `grpc-message` as it stands on the wire: UTF-8, every byte outside 0x20–0x7e and `%` percent-encoded.
 * Source: PROTOCOL-HTTP2.md, "Status-Message".
 */
export function encodeStatusText(text: string): string {
  if (PLAIN.test(text)) return text;
  let encoded = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** The reverse. What is no valid escape stays as it is: the specification forbids dropping a broken message. */
export function decodeStatusText(text: string): string {
  if (!ESCAPED.test(text)) return text;
  const bytes: number[] = [];
  const source = Buffer.from(text, 'utf8');
  for (let at = 0; at < source.length; at++) {
    const digits = source.toString('latin1', at, at + 3);
    if (digits.length === 3 && ESCAPED.test(digits)) {
      bytes.push(Number.parseInt(digits.slice(1), 16));
      at += 2;
    } else {
      bytes.push(source[at] as number);
    }
  }
  return Buffer.from(bytes).toString('utf8');
}
