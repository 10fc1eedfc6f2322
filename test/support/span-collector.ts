import { once } from "node:events";
import { createServer } from "node:http";
import { z } from "zod";

const exported = z.object({
  resourceSpans: z.array(
    z.object({
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              name: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().optional(),
              attributes: z.array(z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) })),
              status: z.object({ code: z.number(), message: z.string().optional() }),
            }),
          ),
        }),
      ),
    }),
  ),
});

export interface CollectedSpan {
  readonly name: string;
  readonly id: string;
  readonly parent: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly isError: boolean;
}

/** Takes spans by OTLP over HTTP, in JSON. https://opentelemetry.io/docs/specs/otlp/#otlphttp */
export interface SpanCollector extends AsyncDisposable {
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  /** Everything that was sent, as text. */
  readonly text: () => string;
  /** Requests that came in, answered or not. */
  readonly requests: number;
}

/** @param isReady awaited before a request is answered */
export async function startSpanCollector(isReady: () => Promise<void> = async () => undefined): Promise<SpanCollector> {
  const spans: CollectedSpan[] = [];
  let text = "";
  let requests = 0;
  const server = createServer(async (request, response) => {
    requests += 1;
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    text += body;
    for (const { scopeSpans } of exported.parse(JSON.parse(body)).resourceSpans)
      for (const scope of scopeSpans)
        for (const { name, spanId: id, parentSpanId: parent, attributes, status } of scope.spans)
          spans.push({ name, id, parent, attributes: valuesOf(attributes), isError: status.code === 2 });
    await isReady();
    response.setHeader("content-type", "application/json").end("{}");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/v1/traces`,
    spans,
    text: () => text,
    get requests() {
      return requests;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

function valuesOf(attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]) {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
