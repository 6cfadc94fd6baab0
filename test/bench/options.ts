import { parseArgs } from 'node:util';

export interface Options {
  /** The rows that matter most, beside Envoy and HAProxy, within 10 minutes. */
  readonly quick: boolean;
  /** Only JSON on standard output. */
  readonly json: boolean;
  /** Scenarios to run; none: all. */
  readonly only: readonly string[];
  /** Targets to measure; none: all. */
  readonly targets: readonly string[];
  readonly repetitions: number | undefined;
  /** Where the raw results are written; what is there of other scenarios stays. */
  readonly out: string | undefined;
}

/** Throws on what it does not know. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      targets: { type: 'string', default: '' },
      repetitions: { type: 'string' },
      out: { type: 'string' },
    },
  });
  const repetitions = values.repetitions === undefined ? undefined : Number(values.repetitions);
  if (repetitions !== undefined && !(Number.isInteger(repetitions) && repetitions > 0))
    throw new Error(`--repetitions: found ${values.repetitions}, allowed is a whole number above 0`);
  return {
    quick: values.quick,
    json: values.json,
    only: namesIn(values.only),
    targets: namesIn(values.targets),
    repetitions,
    out: values.out,
  };
}

function namesIn(text: string): readonly string[] {
  return text.split(',').filter((name) => name !== '');
}
