import type { HttpClient } from "./types.ts";

/** The same client, for requests whose answers take another time to begin. */
export function withHeadersTimeout(client: HttpClient, headersMs: number): HttpClient {
  return {
    request: (request) => client.request({ ...request, timeouts: { headersMs, ...request.timeouts } }),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}
