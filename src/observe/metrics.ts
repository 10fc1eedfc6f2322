import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { METRICS, type MetricName, type Metrics } from "../units/metrics.ts";

const PREFIX = "radferry_";

/** Metrics that are kept in this process, and given out in the words of Prometheus. */
export interface KeptMetrics extends Metrics {
  /** Forgets what a gauge said of all its labels: what is not there any more must not stand. */
  clear(name: MetricName): void;
  /** In the text format. */
  text(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export function createMetrics(): KeptMetrics {
  const registry = new Registry();
  const made = new Map<MetricName, Counter | Gauge | Histogram>();
  for (const name of Object.keys(METRICS) as MetricName[]) made.set(name, instrument(name, registry));
  const known = (name: MetricName): Counter | Gauge | Histogram => made.get(name) ?? instrument(name, registry);
  return {
    add(name, by, labels) {
      const metric = known(name);
      if (!(metric instanceof Histogram)) metric.inc(labels, by);
    },
    set(name, value, labels) {
      const metric = known(name);
      if (metric instanceof Gauge) metric.set(labels, value);
    },
    observe(name, value, labels) {
      const metric = known(name);
      if (metric instanceof Histogram) metric.observe(labels, value);
    },
    clear: (name) => known(name).reset(),
    text: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

function instrument(name: MetricName, registry: Registry): Counter | Gauge | Histogram {
  const entry = METRICS[name];
  const { help, kind } = entry;
  const common = { name: PREFIX + name, help, labelNames: [...entry.labels], registers: [registry] };
  if (kind === "counter") return new Counter(common);
  if (kind === "gauge") return new Gauge(common);
  return new Histogram({ ...common, ...("buckets" in entry ? { buckets: [...entry.buckets] } : {}) });
}
