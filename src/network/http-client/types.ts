import type { MinimumRate } from "../../units/minimum-rate.ts";
import type { TlsClientOptions } from "../upper-layer/tls.ts";
import type { Authentication } from "./authentication.ts";
import type { Pieces } from "./body-queue.ts";

export interface HttpTimeouts {
  /** Until the connection stands, TLS included. */
  readonly connectMs: number;
  /** From the request until the headers of its answer: archives that fetch from elsewhere first take minutes. */
  readonly headersMs: number;
  /** Between two pieces of the answer; the time in which we are the slow ones does not count. */
  readonly idleMs: number;
  /** From the request until the last byte of its answer; absent: no limit. */
  readonly totalMs?: number | undefined;
  /** Of the answer's body, over no less than `headersMs`: some begin to answer and send a blank now and then until they are ready. @default MINIMUM_RATE */
  readonly slowest?: MinimumRate | undefined;
}

export interface HttpClientOptions {
  /** Scheme, host, port and the path below which everything is: `https://pacs.example.org/dicom-web`. */
  readonly baseUrl: string;
  /** @default none */
  readonly authentication?: Authentication | undefined;
  /** Authorities, our certificate, the peer's name; for `https`. */
  readonly tls?: TlsClientOptions | undefined;
  readonly timeouts?: Partial<HttpTimeouts> | undefined;
  /** Connections at once, and as many for bulk; further requests wait for one. @default 8 */
  readonly connections?: number | undefined;
}

export interface HttpRequest {
  /** @default GET */
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "PATCH" | undefined;
  /** Below the base URL, parts already percent-encoded; or an absolute URL of the same origin. @default the base URL itself */
  readonly path?: string | undefined;
  readonly query?: Iterable<readonly [string, string]> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** A stream is made anew for every try. */
  readonly body?: string | Uint8Array | (() => AsyncIterable<Uint8Array>) | undefined;
  /** Of a stream, where that is known: it is sent with its length then, and a stream of another length ends the request. */
  readonly bodyBytes?: number | undefined;
  /**
   * Pixel data gains nothing from compression: it is asked for as it is. Unless a stream is sent, its answer comes over connections of our
   * own, into memory that is used again. @default false
   */
  readonly bulk?: boolean | undefined;
  /** Which statuses the caller will look at; others are errors. @default 200 to 299 */
  readonly accepts?: ((status: number) => boolean) | undefined;
  readonly timeouts?: Partial<Omit<HttpTimeouts, "connectMs">> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An answer whose headers are there. Disposing it before its end closes the connection. */
export interface HttpResponse extends AsyncDisposable {
  readonly status: number;
  /** Names in lower case; several of one name are joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  /**
   * What comes, decoded, in pieces as it came: read once. Who does not read holds the peer back.
   * @throws HttpError HTTP_CONNECTION_LOST, HTTP_IDLE_TIMED_OUT, HTTP_TOO_SLOW, HTTP_TOTAL_TIMED_OUT; the reason of the request's signal
   */
  readonly body: Pieces;
}

/** Closing it ends what is under way. */
export interface HttpClient extends AsyncDisposable {
  /**
   * One exchange; two when the peer wants us to log in anew.
   * @throws HttpError for a status that is not accepted, a redirect and whatever keeps an answer from coming; the reason of the signal
   */
  request(request: HttpRequest): Promise<HttpResponse>;
}
