import { Code, type Status } from '../../rpc/status.js';

/** A status that a simulated manager ends a call with, thrown from wherever it is found out. */
export class Refusal extends Error {
  readonly status: Status;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'Refusal';
    this.status = { code, message };
  }
}

/** What GORM says of a row that is not there. A fact, whatever its code says. */
export function recordNotFound(): Refusal {
  return new Refusal(Code.INTERNAL, 'record not found');
}
