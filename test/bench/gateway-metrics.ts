/** Value of a metric without labels, or the sum over its labels; undefined: there is none. */
export async function metric(port: number, name: string): Promise<number | undefined> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const values = text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  if (values.length === 0) return undefined;
  return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** How late the event loop was in the last interval of prom-client, 99th percentile, ms. */
export async function eventLoopP99Ms(port: number): Promise<number | undefined> {
  const seconds = await metric(port, 'dragonfly_manager_gateway_nodejs_eventloop_lag_p99_seconds');
  return seconds === undefined ? undefined : seconds * 1_000;
}
