import { freePort } from '../../../src/simulator/free-port.js';
import { run, start } from '../processes.js';
import type { Place, Running, Target } from './target.js';

/** As in the image (Dockerfile); other versions of Node run as they come. */
export const NODE_FLAG = '--max-semi-space-size=8';
const IN_THE_IMAGE = 24;

/** The gateway as it is built, on a Node of this major version (npm's `node` package). `gateway` is the one on Node 24, which the image ships. */
export function gateway(name: string, major: number): Target {
  let binary: Promise<string> | undefined;
  const node = (): Promise<string> => {
    binary ??= run('npx', ['--yes', `--package=node@${major}`, '--', 'node', '-p', 'process.execPath'], '');
    return binary;
  };
  return {
    name,
    version: async () => `Node ${(await run(await node(), ['--version'], '')).replace('v', '')}`,
    start: async (place) => startGateway(await node(), major === IN_THE_IMAGE ? [NODE_FLAG] : [], place),
  };
}

async function startGateway(node: string, flags: readonly string[], place: Place): Promise<Running> {
  const port = await freePort();
  const metricsPort = await freePort();
  const settings = [
    `server.listen=127.0.0.1:${port}`,
    `managers.addrs=["127.0.0.1:${place.managerPort}"]`,
    'admin.addr=127.0.0.1:0',
    `metrics.addr=127.0.0.1:${metricsPort}`,
    'snapshot.dir=',
    ...(place.settings ?? []),
  ];
  const sets = settings.flatMap((setting) => ['--set', setting]);
  const process = start(node, [...flags, 'dist/main.js', 'serve', ...sets], place.cores);
  // Its log is not kept, but has to be read, or it would wait to write more.
  process.child.stdout?.resume();
  return { port, metricsPort, process };
}
