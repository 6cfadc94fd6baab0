import { CallCredentials, Metadata as GrpcMetadata } from '@grpc/grpc-js';
import { Code } from '../rpc/status.js';

/** What grpc-js says in the end of a call that was not let go; see `explainStatus`. */
export const NOT_LET_GO = 'the connection of this call is not in use any more';

/**
 * Credentials of one call, which show nothing: grpc-js asks for them after it has chosen a connection and before it uses it, and
 * that is the moment to make sure that it is the right one. Left alone it carries a call over whichever connection comes next.
 */
export class PinnedCredentials extends CallCredentials {
  readonly #mayGo: () => boolean;

  constructor(mayGo: () => boolean) {
    super();
    this.#mayGo = mayGo;
  }

  override generateMetadata(): Promise<GrpcMetadata> {
    if (this.#mayGo()) return Promise.resolve(new GrpcMetadata());
    return Promise.reject(Object.assign(new Error(NOT_LET_GO), { code: Code.UNAVAILABLE }));
  }

  /** Those of our channels are empty. */
  override compose(): CallCredentials {
    return this;
  }

  override _equals(other: CallCredentials): boolean {
    return this === other;
  }
}
