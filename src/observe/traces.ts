import { AsyncLocalStorage } from "node:async_hooks";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import type { Context, Span } from "@opentelemetry/api";
import { toGatewayError } from "../errors/gateway-error.ts";
import type { Traces } from "../units/traces.ts";

/** Spans that wait to be sent; one more is dropped. */
const QUEUE_SPANS = 2_048;
const BATCH_SPANS = 512;
const SEND_EVERY_MS = 2_000;
/** Less than the exporter waits before it tries again, and than the end may take: no timer of it outlives us. */
const SEND_TIMEOUT_MS = 700;
/** What is not sent by then is lost. */
const END_MS = 1_000;

export interface TraceOptions {
  /** Where a collector takes spans by OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces. */
  readonly url: string;
  /** Of studies, from 0 to 1: the others are not traced. */
  readonly share: number;
  readonly version: string;
}

/**
 * Sends spans to a collector. Nobody waits for it: what it does not take in time is dropped, and the end is not held up for longer than a second.
 * An error is told by its code alone.
 */
export async function openTraces({ url, share, version }: TraceOptions): Promise<Traces & AsyncDisposable> {
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import("@opentelemetry/api"),
    import("@opentelemetry/sdk-trace-base"),
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/resources"),
  ]);
  const agent = url.startsWith("https:") ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: SEND_TIMEOUT_MS, httpAgentOptions: () => agent });
  const provider = new sdk.BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": "radferry", "service.version": version }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(share) }),
    spanProcessors: [
      new sdk.BatchSpanProcessor(exporter, {
        maxQueueSize: QUEUE_SPANS,
        maxExportBatchSize: BATCH_SPANS,
        scheduledDelayMillis: SEND_EVERY_MS,
        exportTimeoutMillis: SEND_TIMEOUT_MS,
      }),
    ],
  });
  const tracer = provider.getTracer("radferry");
  const contexts = new AsyncLocalStorage<Context>();
  const fail = (span: Span, thrown: unknown): void => {
    const { code, class: errorClass } = toGatewayError(thrown);
    span.setAttributes({ "radferry.code": code, "radferry.error_class": errorClass });
    span.setStatus({ code: api.SpanStatusCode.ERROR });
  };
  return {
    async within(name, attributes, work) {
      const above = contexts.getStore() ?? api.ROOT_CONTEXT;
      const span = tracer.startSpan(name, { attributes }, above);
      try {
        return await contexts.run(api.trace.setSpan(above, span), work);
      } catch (thrown) {
        fail(span, thrown);
        throw thrown;
      } finally {
        span.end();
      }
    },
    async [Symbol.asyncDispose]() {
      const stop = new AbortController();
      const ended = provider.shutdown().catch(() => undefined);
      await Promise.race([ended, delay(END_MS, undefined, { signal: stop.signal })]);
      stop.abort();
      // A collector that does not answer keeps no process alive.
      agent.destroy();
    },
  };
}
