import { freePort } from '../../../src/simulator/free-port.js';
import { run, start } from '../processes.js';
import type { Target } from './target.js';

/** The stub manager, reached directly: it must outrun every target, or the targets' figures are the stub's. */
export const stub = (answersFile: string): Target => ({
  name: 'stub',
  version: async () => (await run('go', ['version'], '')).replace(/^go version go(\S+).*$/s, 'Go $1'),
  async start({ cores }) {
    const port = await freePort();
    const args = ['-listen', `127.0.0.1:${port}`, '-answers', answersFile];
    return { port, process: start('.bench/bin/bench-manager', args, cores) };
  },
});

/** A bare responder over node:http2 on Node 24: what the engine itself costs. */
export const bare = (answersFile: string): Target => {
  let binary: Promise<string> | undefined;
  const node = (): Promise<string> => {
    binary ??= run('npx', ['--yes', '--package=node@24', '--', 'node', '-p', 'process.execPath'], '');
    return binary;
  };
  return {
    name: 'bare',
    version: async () => `Node ${(await run(await node(), ['--version'], '')).replace('v', '')}`,
    async start({ cores }) {
      const port = await freePort();
      const args = ['.bench/js/peers/bare-responder.js', String(port), answersFile];
      return { port, process: start(await node(), args, cores) };
    },
  };
};
