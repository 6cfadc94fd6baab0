/** PEM text. `clientAuth`: ask for and verify the caller's certificate against `caCert`. */
export type SimulatedTls = {
  readonly cert: string;
  readonly key: string;
  readonly caCert?: string;
  readonly clientAuth?: boolean;
};
