import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The system's Chromium (Debian package `chromium`); nothing is downloaded. */
export function launchChromium(): Promise<Browser> {
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({
    executablePath: executablePath(),
    // Chromium refuses to run as root (as in a container of CI) with its sandbox; nothing but our own page is opened here.
    args: isRoot ? ['--no-sandbox'] : [],
  });
}

function executablePath(): string {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of NAMES) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // It may be in the next folder, or have another name.
      }
    }
  }
  throw new Error(`none of ${NAMES.join(', ')} is in PATH; Debian package chromium`);
}
