import { crc32, deflateSync } from 'node:zlib';
import type { Browser } from 'playwright-core';

const COLOURS = 256;
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** The same picture with its 256 most frequent colours: a third of the size, for a repository that keeps every version of it. */
export async function smallPng(browser: Browser, png: Buffer): Promise<Buffer> {
  const { width, height, pixels } = await pixelsOf(browser, png);
  const palette = frequentColours(pixels);
  const indexOf = nearest(palette);
  const lines = Buffer.alloc((width + 1) * height);
  for (let at = 0; at < width * height; at++) {
    // Each line begins with its filter; 0 is none, which is best for few colours.
    lines[at + Math.floor(at / width) + 1] = indexOf(pixels.readUIntBE(at * 4, 3));
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // 8 bits, of a palette.
  header.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(lines, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** RGBA, as the browser reads it. */
async function pixelsOf(browser: Browser, png: Buffer) {
  const page = await browser.newPage();
  const read = `(async () => {
    const blob = await (await fetch('data:image/png;base64,${png.toString('base64')}')).blob();
    const bitmap = await createImageBitmap(blob);
    const drawing = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    drawing.drawImage(bitmap, 0, 0);
    const { data } = drawing.getImageData(0, 0, bitmap.width, bitmap.height);
    const url = await new Promise((resolve) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.readAsDataURL(new Blob([data]));
    });
    return { width: bitmap.width, height: bitmap.height, base64: url.split(',')[1] };
  })()`;
  const { width, height, base64 } = await page.evaluate<{ width: number; height: number; base64: string }>(
    read,
  );
  await page.close();
  return { width, height, pixels: Buffer.from(base64, 'base64') };
}

function frequentColours(pixels: Buffer): number[] {
  const counts = new Map<number, number>();
  for (let at = 0; at < pixels.length; at += 4) {
    const colour = pixels.readUIntBE(at, 3);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([, one], [, other]) => other - one);
  return sorted.slice(0, COLOURS).map(([colour]) => colour);
}

function nearest(palette: readonly number[]): (colour: number) => number {
  const known = new Map(palette.map((colour, index) => [colour, index]));
  const part = (colour: number, shift: number): number => (colour >> shift) & 255;
  const apart = (one: number, other: number): number =>
    [16, 8, 0].reduce((sum, shift) => sum + (part(one, shift) - part(other, shift)) ** 2, 0);
  return (colour) => {
    const found = known.get(colour);
    if (found !== undefined) return found;
    let best = 0;
    palette.forEach((candidate, index) => {
      if (apart(colour, candidate) < apart(colour, palette[best] ?? 0)) best = index;
    });
    known.set(colour, best);
    return best;
  };
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8 + named.length);
  frame.writeUInt32BE(data.length, 0);
  named.copy(frame, 4);
  frame.writeUInt32BE(crc32(named), 4 + named.length);
  return frame;
}
