import type { HttpClient } from "../../network/http-client/types.ts";
import { neverAborted } from "../../units/abort.ts";
import type { Associations } from "./associations.ts";

/** The client where several nodes ask the peer: each request stands on a permit that all of them hold together, until its answer is disposed. */
export function limitRequests(client: HttpClient, associations: Associations): HttpClient {
  return {
    async request(request) {
      const permit = await associations.acquire(request.signal ?? neverAborted());
      try {
        const response = await client.request(request);
        return {
          status: response.status,
          headers: response.headers,
          body: response.body,
          async [Symbol.asyncDispose]() {
            try {
              await response[Symbol.asyncDispose]();
            } finally {
              permit[Symbol.dispose]();
            }
          },
        };
      } catch (thrown) {
        permit[Symbol.dispose]();
        throw thrown;
      }
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await associations[Symbol.asyncDispose]();
    },
  };
}
