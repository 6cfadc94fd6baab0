export type Colour = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

const CODES: Record<Colour, number> = { bold: 1, dim: 2, green: 32, red: 31, yellow: 33 };

export type Paint = (colour: Colour, text: string) => string;

/** No colour unless a person looks at it, and none when NO_COLOR is set to anything (no-color.org). */
export function createPaint(isTty: boolean, env: NodeJS.ProcessEnv): Paint {
  const coloured = isTty && !env.NO_COLOR && env.TERM !== 'dumb';
  return coloured ? (colour, text) => `\u001b[${CODES[colour]}m${text}\u001b[0m` : (_colour, text) => text;
}
