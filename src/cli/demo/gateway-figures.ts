import type { GatewayFigures } from './figures.js';

const ANSWERS = /^dragonfly_manager_gateway_answers_total\{([^}]*)\} ([0-9.e+]+)$/gm;
const ANSWER_KIND = /(?:^|,)answer="([a-z]+)"/;

/** How calls were answered, from the Prometheus text of the gateway. */
export function gatewayFigures(metrics: string): GatewayFigures {
  const figures = { hit: 0, stale: 0, miss: 0, forwarded: 0, local: 0, refused: 0 };
  for (const [, labels = '', value = '0'] of metrics.matchAll(ANSWERS)) {
    const kind = ANSWER_KIND.exec(labels)?.[1];
    if (kind !== undefined && kind in figures) figures[kind as keyof GatewayFigures] += Number(value);
  }
  return figures;
}
