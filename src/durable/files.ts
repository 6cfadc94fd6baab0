import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Nobody else's: answers name nodes and addresses. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

/** Makes the directory where it is missing, and shows that files can be written, synced and renamed in it. Rejects if not. */
export async function proveWritable(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: DIRECTORY_MODE });
  const file = join(dir, `writable-${process.pid}-${randomBytes(4).toString('hex')}`);
  await replaceFile(file, [Buffer.from('shows that this directory can be written\n')]);
  await unlink(file);
}

/** `file` with this content, or as it was: written beside it, synced, renamed, the directory synced. Returns its size in bytes. */
export async function replaceFile(
  file: string,
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>,
): Promise<number> {
  const beside = `${file}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  const handle = await open(beside, 'wx', FILE_MODE);
  let sizeBytes = 0;
  try {
    for await (const chunk of chunks) {
      await writeAll(handle, chunk);
      sizeBytes += chunk.length;
    }
    await handle.sync();
    await handle.close();
    await rename(beside, file);
    await syncDirectory(dirname(file));
    return sizeBytes;
  } catch (error) {
    await handle.close().catch(() => undefined); // it may be closed; what counts is the error that came first
    await unlink(beside).catch(() => undefined);
    throw error;
  }
}

/** Opens for appending, mode 0600; a new file is there for good when this resolves. */
export async function openToAppend(file: string): Promise<FileHandle> {
  const handle = await open(file, 'a', FILE_MODE);
  await syncDirectory(dirname(file));
  return handle;
}

/** The first `maxBytes` of a file; undefined: there is none. Other errors reject. */
export async function readUpTo(file: string, maxBytes: number): Promise<Buffer | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
  try {
    const wanted = Math.min((await handle.stat()).size, maxBytes);
    const bytes = Buffer.alloc(wanted);
    let got = 0;
    while (got < wanted) {
      const { bytesRead } = await handle.read(bytes, got, wanted - got, got);
      if (bytesRead === 0) break;
      got += bytesRead;
    }
    return bytes.subarray(0, got);
  } finally {
    await handle.close();
  }
}

/** Takes away what a process that died in `replaceFile(file)` has left, once it is older than `olderThanMs`. */
export async function sweepLeftovers(file: string, olderThanMs: number, wallMs: number): Promise<void> {
  const dir = dirname(file);
  for (const name of await readdir(dir)) {
    if (!name.startsWith(`${basename(file)}.`) || !name.endsWith('.tmp')) continue;
    const path = join(dir, name);
    const { mtimeMs } = await stat(path);
    if (wallMs - mtimeMs > olderThanMs) await unlink(path);
  }
}

async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += (await handle.write(bytes, written, bytes.length - written)).bytesWritten;
  }
}
