/** A whole number in the query, no more than `most`; `usual` where there is none. */
export function askedNumber(query: URLSearchParams, key: string, usual: number, most: number): number {
  const number = Number(query.get(key) || Number.NaN);
  return Number.isSafeInteger(number) && number >= 0 ? Math.min(number, most) : usual;
}
