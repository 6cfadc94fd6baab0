/**
 * Everything that is asked for at once, with one call, which goes out before what is asked for afterwards. `run`: never rejects.
 */
export function batched<T>(run: (keys: readonly string[]) => Promise<T>): (key: string) => Promise<T> {
  let waiting: { readonly keys: string[]; readonly result: Promise<T> } | undefined;
  return (key) => {
    if (waiting === undefined) {
      const keys: string[] = [];
      const result = Promise.resolve().then(() => {
        waiting = undefined;
        return run(keys);
      });
      waiting = { keys, result };
    }
    waiting.keys.push(key);
    return waiting.result;
  };
}
