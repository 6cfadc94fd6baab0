/**
 * The manager looks rows up by hostname, but keeps them in its cache by the ip asked with (protocol: GetScheduler, GetSeedPeer):
 * one that nobody has asked with reaches its database.
 */
export function freshIp(random: () => number): string {
  const byte = (): number => 1 + Math.floor(random() * 254);
  return `127.${byte()}.${byte()}.${byte()}`;
}
