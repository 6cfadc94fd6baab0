/** Things done one after the other where they have the same key, and side by side otherwise. */
export interface Turns {
  take<T>(key: string, act: () => Promise<T>): Promise<T>;
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    take(key, act) {
      const before = last.get(key) ?? Promise.resolve();
      const result = before.then(act, act);
      // Whoever waits for its turn does not care how the one before ended; its caller is told.
      const ended = result.then(
        () => undefined,
        () => undefined,
      );
      last.set(key, ended);
      void ended.then(() => {
        if (last.get(key) === ended) last.delete(key);
      });
      return result;
    },
  };
}
