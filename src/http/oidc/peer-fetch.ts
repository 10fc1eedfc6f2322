import type { CustomFetch } from "openid-client";
import { openHttpClient } from "../../network/http-client/http-client.ts";
import { readBytes } from "../../network/http-client/read-body.ts";
import type { HttpClientOptions, HttpRequest } from "../../network/http-client/types.ts";

/** Metadata, keys and tokens have some kilobytes. */
const LONGEST_ANSWER_BYTES = 1 << 20;
/** People wait. */
const TIMEOUTS = { connectMs: 5_000, headersMs: 10_000, idleMs: 5_000, totalMs: 15_000 };
const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** How the library asks the issuer: by our client with its authorities, time-outs and limits; redirects are not followed. */
export function peerFetch(tls: () => Promise<HttpClientOptions["tls"]>): CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    await using client = openHttpClient({ baseUrl: new URL(url).origin, tls: await tls(), timeouts: TIMEOUTS });
    const text = body === undefined || body === null ? undefined : body.toString();
    const request: HttpRequest = {
      method: method === "POST" ? "POST" : "GET",
      path: url,
      headers,
      accepts: () => true,
      ...(text === undefined ? {} : { body: text }),
      ...(signal === undefined ? {} : { signal }),
    };
    await using response = await client.request(request);
    const bytes = await readBytes(response, LONGEST_ANSWER_BYTES);
    // They were of the body as it came.
    const told = [...response.headers].filter(
      ([name]) => !/^(?:content-(?:encoding|length)|transfer-encoding)$/.test(name),
    );
    return new Response(NO_BODY.has(response.status) ? null : new Uint8Array(bytes), {
      status: response.status,
      headers: Object.fromEntries(told),
    });
  };
}
