import type { Archive } from "../archive/archive.ts";
import type { Destination } from "../delivery/destination.ts";
import { toGatewayError } from "../errors/gateway-error.ts";
import type { StagingArea } from "../staging/staging-area.ts";
import type { Clock } from "../units/clock.ts";
import type { Metrics } from "../units/metrics.ts";
import { noTraces, type Traces } from "../units/traces.ts";

interface Meter {
  readonly metrics: Metrics;
  readonly clock: Pick<Clock, "nowMs">;
  readonly traces?: Traces;
}

/** The archive, counting what is asked of it and how it ends. */
export function meteredArchive(archive: Archive, { metrics, clock, traces = noTraces }: Meter): Archive {
  const { name } = archive;
  async function active<T>(question: string, ask: () => Promise<T>): Promise<T> {
    metrics.add("associations_active", 1, { archive: name });
    try {
      return await traces.within(`archive ${question}`, { "radferry.archive": name }, ask);
    } finally {
      metrics.add("associations_active", -1, { archive: name });
    }
  }
  return {
    ...archive,
    echo: (signal) => active("echo", () => archive.echo(signal)),
    rehearseRetrieval: (signal) => active("rehearse", () => archive.rehearseRetrieval(signal)),
    findStudies: (query, signal) => active("find", () => archive.findStudies(query, signal)),
    listStudy: (study, signal) => active("list", () => archive.listStudy(study, signal)),
    async retrieve(request, signal) {
      const startedAtMs = clock.nowMs();
      let outcome = "answered";
      try {
        return await active("retrieve", () => archive.retrieve(request, signal));
      } catch (thrown) {
        outcome = signal.aborted ? "cancelled" : toGatewayError(thrown).class;
        throw thrown;
      } finally {
        metrics.add("retrievals_total", 1, { archive: name, outcome });
        metrics.observe("retrieve_duration_seconds", (clock.nowMs() - startedAtMs) / 1_000, { archive: name });
      }
    },
  };
}

/** The destination, counting what it takes. */
export function meteredDestination(
  destination: Destination,
  { metrics, clock, traces = noTraces }: Meter,
): Destination {
  const { name } = destination;
  return {
    ...destination,
    async send(delivery, files, signal, note) {
      const startedAtMs = clock.nowMs();
      let outcome = "sent";
      try {
        const facts = { "radferry.destination": name, "radferry.instances": files.length };
        await traces.within("destination send", facts, () => destination.send(delivery, files, signal, note));
        const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
        metrics.add("delivery_bytes_total", sizeBytes, { destination: name });
      } catch (thrown) {
        outcome = signal.aborted ? "cancelled" : toGatewayError(thrown).class;
        throw thrown;
      } finally {
        metrics.add("deliveries_total", 1, { destination: name, outcome });
        metrics.observe("delivery_duration_seconds", (clock.nowMs() - startedAtMs) / 1_000, { destination: name });
      }
    },
  };
}

/** The staging area, counting what comes in. */
export function meteredStaging(staging: StagingArea, metrics: Metrics): StagingArea {
  const counted = <T extends { readonly sizeBytes: number }>(instance: T): T => {
    metrics.add("instances_received_total", 1, {});
    metrics.add("instances_received_bytes_total", instance.sizeBytes, {});
    return instance;
  };
  return {
    ...staging,
    async begin(options) {
      const file = await staging.begin(options);
      return {
        write: (chunk) => file.write(chunk),
        commit: async (admit, otherwise) => counted(await file.commit(admit, otherwise)),
        abort: () => file.abort(),
      };
    },
    adopt: async (path, admit) => counted(await staging.adopt(path, admit)),
  };
}
