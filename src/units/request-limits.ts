/** What a peer may hold of an HTTP server that has little to receive: who drips a request ties up a connection for so long. */
export interface RequestLimits {
  readonly headersTimeout: number;
  /** For all of it, its body among it. */
  readonly requestTimeout: number;
  /** How often connections are looked at that take too long. */
  readonly connectionsCheckingInterval: number;
}

/** In milliseconds, under the names that Node has for them. */
export const REQUEST_LIMITS: RequestLimits = {
  headersTimeout: 15_000,
  requestTimeout: 300_000,
  connectionsCheckingInterval: 5_000,
};

/** More are closed at once. */
export const MAXIMUM_HTTP_CONNECTIONS = 1_000;
