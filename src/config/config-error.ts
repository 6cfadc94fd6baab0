import { GatewayError } from '../errors.js';
import { formatProblem, inReadingOrder, type Problem } from './problem.js';

/** A configuration that is refused: one line of the message for each problem. */
export class ConfigError extends GatewayError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const ordered = inReadingOrder(problems);
    super('config-invalid', ordered.map(formatProblem).join('\n'));
    this.problems = ordered;
  }
}
