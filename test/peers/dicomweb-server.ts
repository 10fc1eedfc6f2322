import type { IncomingMessage, ServerResponse } from "node:http";
import { startHttpServer, type TestHttpServer } from "../support/http-server.ts";

/** A request that came, with what of its body was waited for. */
export interface WebRequest {
  readonly method: string;
  /** Below the server, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
}

export interface WebAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object or list is sent as DICOM JSON. */
  readonly body?: string | Uint8Array | readonly unknown[] | Readonly<Record<string, unknown>>;
  /** How it goes on behind the body: as it should; the connection is cut; nothing more comes. */
  readonly ends?: "well" | "cut" | "never";
}

export interface WebServer extends TestHttpServer {
  readonly requests: readonly WebRequest[];
}

/** A DICOMweb service that answers as it is told; what is asked of it is kept. */
export async function startWebServer(
  answer: (request: WebRequest, body: () => Promise<Buffer>) => WebAnswer | Promise<WebAnswer>,
  tls?: Parameters<typeof startHttpServer>[1],
): Promise<WebServer> {
  const requests: WebRequest[] = [];
  const server = await startHttpServer(async (request, response) => {
    const { pathname: path, searchParams: query } = new URL(request.url ?? "/", "http://server");
    const asked = { method: request.method ?? "", path, query, headers: request.headers };
    requests.push(asked);
    try {
      send(response, await answer(asked, () => bodyOf(request)));
    } catch {
      response.destroy();
    }
  }, tls);
  return Object.assign(server, { requests });
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces);
}

function send(response: ServerResponse, { status = 200, headers = {}, body, ends = "well" }: WebAnswer): void {
  const isJson = body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array);
  response.writeHead(status, { ...(isJson ? { "Content-Type": "application/dicom+json" } : {}), ...headers });
  response.flushHeaders();
  const bytes = body === undefined ? "" : isJson ? JSON.stringify(body) : body;
  if (ends === "well") response.end(bytes);
  else response.write(bytes, () => ends === "cut" && response.destroy());
}

export const BOUNDARY = "a-boundary";

/** The type of an answer of several instances. PS3.18 8.7.1. */
export const MULTIPART = { "Content-Type": `multipart/related; type="application/dicom"; boundary=${BOUNDARY}` };

export interface WebPart {
  readonly body: string | Uint8Array;
  readonly type?: string;
  /** More lines of its head, each with its line end. */
  readonly headers?: string;
}

/** A multipart body: delimiter line, head, empty line, content, for each; the closing delimiter. RFC 2046 5.1.1. */
export function multipartOf(parts: readonly (WebPart | Uint8Array)[], { isClosed = true } = {}): Buffer {
  const pieces = parts.flatMap((part) => {
    const { body, type = "application/dicom", headers = "" } = part instanceof Uint8Array ? { body: part } : part;
    return [Buffer.from(`\r\n--${BOUNDARY}\r\nContent-Type: ${type}\r\n${headers}\r\n`), Buffer.from(body)];
  });
  return Buffer.concat([...pieces, Buffer.from(isClosed ? `\r\n--${BOUNDARY}--\r\n` : "")]);
}
