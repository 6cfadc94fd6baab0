/** How many connections each address has open: a number, by which nobody is known. */
export interface ConnectionsByAddress {
  /** One more; undefined: it has as many as it may. Returns the way to say that it has closed. */
  add(address: string, limit: number): (() => void) | undefined;
}

export function createConnectionsByAddress(): ConnectionsByAddress {
  const open = new Map<string, number>();
  return {
    add(address, limit) {
      const count = open.get(address) ?? 0;
      if (limit > 0 && count >= limit) return undefined;
      open.set(address, count + 1);
      let closed = false;
      return () => {
        if (closed) return;
        closed = true;
        const left = (open.get(address) ?? 1) - 1;
        if (left === 0) open.delete(address);
        else open.set(address, left);
      };
    },
  };
}
