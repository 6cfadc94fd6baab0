import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

/** Commands of other people's Go modules, built by `go install` into a directory of their own. */
export interface GoTools {
  /** `module/path@version`; resolves with the file of the command. Rejects with what `go` said. */
  install(module: string): Promise<string>;
  remove(): void;
}

export function goTools(): GoTools {
  const dir = mkdtempSync(join(tmpdir(), 'go-tools-'));
  return {
    async install(module) {
      await promisify(execFile)('go', ['install', module], { env: { ...process.env, GOBIN: dir } });
      return join(dir, basename(module.slice(0, module.lastIndexOf('@'))));
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
