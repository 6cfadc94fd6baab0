import type { Config } from '../../config/config.js';
import type { Paint } from '../demo/paint.js';
import type { Output } from '../demo/screen.js';
import { checkClock } from './clock.js';
import { checkConfiguration } from './configuration.js';
import { checkDescriptors } from './descriptors.js';
import { checkDirectory } from './directory.js';
import type { Finding } from './finding.js';
import { checkManager } from './manager.js';
import { checkPorts } from './ports.js';
import { checkRedis } from './redis.js';
import { asJson, asLine, EXIT, summaryOf, worstOf } from './report.js';

export interface DoctorOptions {
  readonly config: Config;
  readonly json: boolean;
  readonly stdout: Output;
  readonly paint: Paint;
  /** How long a manager may take for one answer, ms. */
  readonly answerMs?: number;
}

/** Long enough for the slowest that still works: a manager whose Redis is frozen answers after 3 to 9 s. */
const ANSWER_MS = 10_000;

/** `manager-gateway doctor`: looks at everything that `serve` will need. Resolves with the exit code. */
export async function runDoctor(options: DoctorOptions): Promise<number> {
  const { config, json, stdout, paint, answerMs = ANSWER_MS } = options;
  const all: Finding[] = [];
  const show = (findings: readonly Finding[]): void => {
    all.push(...findings);
    if (!json) for (const finding of findings) stdout.write(asLine(finding, paint));
  };
  show(checkConfiguration(config));
  // Begun together, because each may take its time; shown in this order.
  const managers = config.managers.addrs.map((address) => checkManager(config.managers, address, answerMs));
  const clocks = config.managers.addrs.map((address) => checkClock(address));
  const redis = checkRedis(config.redis, config.fleet.id);
  const machine = Promise.all([checkDirectory(config), checkPorts(config), checkDescriptors(config)]);
  for (const one of managers) show(await one);
  for (const one of clocks) show(await one);
  show(await redis);
  const [directory, ports, descriptors] = await machine;
  show([directory, ...ports, ...(descriptors === undefined ? [] : [descriptors])]);
  stdout.write(json ? asJson(all) : summaryOf(all, paint));
  return EXIT[worstOf(all)];
}
