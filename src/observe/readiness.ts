/** Can the gateway answer? With a manager that works, or with what it remembers; not while it is going away. */
export interface Readiness {
  readonly serving: boolean;
  /** Why not, in one sentence; undefined while serving. */
  readonly reason: string | undefined;
  /**
   * Why no callers should be sent here, for `/readyz`; undefined: send them. Besides serving it waits for the warm-up: a rollout
   * that takes the old gateway away before the new one is warm loses what it knew. Those who call are answered all the same.
   */
  readonly notReady: string | undefined;
  readonly draining: boolean;
  /** Told of every change, and once of the draining. Returns the unsubscription. */
  subscribe(listener: () => void): () => void;
  /** Looks again: something that may decide has happened. */
  refresh(): void;
}

export interface ReadinessOptions {
  readonly managerHealthy: () => boolean;
  readonly trouble: () => string | undefined;
  /** Is anything remembered that could be answered with? */
  readonly warm: () => boolean;
  readonly draining: () => boolean;
  /** Why the gateway is not warm yet; undefined: it is. */
  readonly cold: () => string | undefined;
}

export function createReadiness(options: ReadinessOptions): Readiness {
  const listeners = new Set<() => void>();
  const compute = (): string | undefined => {
    if (options.draining()) return 'draining';
    if (options.managerHealthy() || options.warm()) return undefined;
    return options.trouble() ?? 'no manager has answered yet, and nothing is remembered';
  };
  let reason = compute();
  let draining = options.draining();
  return {
    get draining() {
      return draining;
    },
    get serving() {
      return reason === undefined;
    },
    get reason() {
      return reason;
    },
    get notReady() {
      return reason ?? options.cold();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    refresh() {
      const [reasonBefore, drainingBefore] = [reason, draining];
      reason = compute();
      draining = options.draining();
      if ((reasonBefore === undefined) === (reason === undefined) && drainingBefore === draining) return;
      for (const listener of [...listeners]) listener();
    },
  };
}
