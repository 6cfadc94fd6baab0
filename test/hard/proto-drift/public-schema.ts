import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ProtoSchema } from '../../route/proto-schema.js';
import type { PublicSchema } from './compare.js';

/** A folder here each: one build cannot hold two versions of a module. */
export const PUBLIC_VERSIONS = ['v2.0.148', 'v2.2.32'] as const;

/** A first run fetches the modules and compiles gRPC; the test's own time limit is a little longer. */
const RUN_TIMEOUT_MS = 280_000;

/**
 * The compiled descriptors of the public API, from the Go program in the folder of that version.
 *
 * @throws Error naming what is missing: the toolchain, or what it said.
 */
export async function publicSchema(
  version: (typeof PUBLIC_VERSIONS)[number],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<PublicSchema> {
  const options = {
    cwd: fileURLToPath(new URL(version, import.meta.url)),
    // go.mod and go.sum are part of the check: they may not be changed by running it, nor replaced by a workspace.
    env: { ...environment, GOFLAGS: '-mod=readonly', GOWORK: 'off' },
    timeout: RUN_TIMEOUT_MS,
    maxBuffer: 16 * 1024 * 1024,
  };
  try {
    const { stdout } = await promisify(execFile)('go', ['run', '.'], options);
    return { version, schema: JSON.parse(stdout) as ProtoSchema };
  } catch (cause) {
    throw new Error(reason(version, cause), { cause });
  }
}

function reason(version: string, cause: unknown): string {
  const { code, stderr, message } = cause as { code?: unknown; stderr?: unknown; message?: unknown };
  if (code === 'ENOENT')
    return 'the Go toolchain is missing: no command "go" on PATH (1.25.5 or later is needed)';
  return `the descriptors of ${version} cannot be read: ${String(stderr || message)}`;
}
