import { GatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { HealthCheck, HealthFacts } from "../http/services.ts";
import type { KeptMetrics } from "../observe/metrics.ts";
import type { Operations } from "../operations/operations.ts";
import { JOB_STATES } from "../store/job-states.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "../units/clock.ts";
import type { Disk } from "../units/disk.ts";
import { treeBytes } from "../units/tree-size.ts";

export interface StateParts {
  /** In the name of the gateway. */
  readonly operations: Operations;
  readonly store: Pick<Store, "jobCounts" | "intakeCounts" | "openTransfers" | "stuckTransfers">;
  readonly clock: Pick<Clock, "nowMs">;
  readonly disk: Disk;
  readonly staging: { readonly path: string; readonly reserveBytes: number };
  /** Pages and programs that follow the events. */
  readonly followers: () => number;
  readonly version: string;
}

const ARCHIVE_STATES = ["open", "closed", "paused", "resting"] as const;
const INTAKE_WAITING = ["open", "held"] as const;
/** Walking over a large staging area takes a while. */
const WALK_EVERY_MS = 300_000;

/** Brings the gauges up to now: whoever scrapes is told how it is, and what cannot be learned is left out. */
export function createStateGauges(metrics: KeptMetrics, parts: StateParts): () => Promise<void> {
  const { operations, store, clock, disk, staging, version, followers } = parts;
  const stagingBytes = createStagingSize(parts);
  const stuckScanFiles = createStuckCount(parts);
  return async () => {
    metrics.set("build_info", 1, { version });
    metrics.set("event_streams", followers(), {});
    metrics.set("process_resident_memory_bytes", process.memoryUsage.rss(), {});
    const { user, system } = process.cpuUsage();
    metrics.clear("process_cpu_seconds_total");
    metrics.add("process_cpu_seconds_total", (user + system) / 1e6, {});
    const bytes = stagingBytes();
    if (bytes !== undefined) metrics.set("staging_bytes", bytes, {});
    await disk.freeBytes(staging.path).then(
      (free) => metrics.set("staging_free_bytes", free, {}),
      () => undefined,
    );
    metrics.set("store_writable", 0, {});
    const [counts, { oldestWaitingSeconds, storeTrouble }] = await Promise.all([
      store.jobCounts(),
      operations.overview(),
    ]);
    metrics.set("store_writable", Number(storeTrouble === null), {});
    metrics.set("oldest_queued_seconds", oldestWaitingSeconds ?? 0, {});
    await gaugeIntake(metrics, parts);
    metrics.set("scan_files_waiting", await waitingScanFiles(store), {});
    metrics.set("scan_files_stuck", await stuckScanFiles(), {});
    for (const name of ["queue_depth", "studies"] as const) metrics.clear(name);
    for (const { project, stage, state, jobs } of counts) {
      metrics.add("studies", jobs, { project, state });
      if (!JOB_STATES[state].done) metrics.add("queue_depth", jobs, { stage });
    }
    for (const name of ["node_alive", "node_silent_seconds"] as const) metrics.clear(name);
    for (const { name: node, state, seenAt } of await operations.listNodes()) {
      metrics.set("node_alive", Number(state === "alive"), { node });
      metrics.set("node_silent_seconds", Math.max(clock.nowMs() - Date.parse(seenAt), 0) / 1_000, { node });
    }
    const archives = await Array.fromAsync(operations.listArchives());
    for (const name of ["archive_state", "archive_window_open"] as const) metrics.clear(name);
    for (const { name: archive, state, opensAt } of archives) {
      // One that is paused has its hours all the same.
      metrics.set("archive_window_open", Number(state !== "closed" && opensAt === undefined), { archive });
      for (const each of ARCHIVE_STATES) metrics.set("archive_state", Number(each === state), { archive, state: each });
    }
  };
}

async function gaugeIntake(metrics: KeptMetrics, { store, clock }: Pick<StateParts, "store" | "clock">): Promise<void> {
  const waiting = await store.intakeCounts();
  for (const state of INTAKE_WAITING) {
    const { studies = 0, oldestAtMs } = waiting.find((count) => count.state === state) ?? {};
    const oldestMs = oldestAtMs === undefined ? 0 : Math.max(clock.nowMs() - oldestAtMs, 0);
    metrics.set("intake_studies", studies, { state });
    metrics.set("intake_oldest_seconds", oldestMs / 1_000, { state });
  }
}

/** How the gateway is, by what it needs to do its work. An archive that is closed or paused, or asked to be left alone, is as it should be. */
export function createHealth({
  operations,
  disk,
  staging,
}: Pick<StateParts, "operations" | "disk" | "staging">): () => Promise<HealthFacts> {
  return async () => {
    const unanswered = { isThere: false, trouble: "STORE_UNAVAILABLE" } as const;
    const { isThere, trouble } = await operations.overview().then(
      ({ storeTrouble }) => ({ isThere: true, trouble: storeTrouble?.code }),
      (thrown: unknown) => (thrown instanceof GatewayError ? { ...unanswered, trouble: thrown.code } : unanswered),
    );
    const hasRoom = await disk.freeBytes(staging.path).then(
      (free) => free >= staging.reserveBytes,
      () => false,
    );
    const found = isThere ? await Array.fromAsync(operations.listArchives()) : [];
    const open = found.filter(({ state, code }) => state !== "resting" || code === "ARCHIVE_ASKED_TO_WAIT").length;
    const archives = { ok: isThere && (found.length === 0 || open > 0), open, configured: found.length };
    return {
      isReady: trouble === undefined && hasRoom && archives.ok,
      checks: { store: checkOf(trouble), disk: checkOf(hasRoom ? undefined : "STAGING_FULL"), archives },
    };
  };
}

function checkOf(code: ErrorCode | undefined): HealthCheck {
  return code === undefined ? { ok: true } : { ok: false, code };
}

/** What was found last; looking again begins when it is old, and nobody waits for it. */
function createStagingSize({ staging, clock }: Pick<StateParts, "staging" | "clock">): () => number | undefined {
  let found: number | undefined;
  let nextAtMs = 0;
  const look = async (): Promise<void> => {
    // Until it is through, none begins beside it.
    nextAtMs = Number.POSITIVE_INFINITY;
    found = await treeBytes(staging.path).catch(() => found);
    nextAtMs = clock.nowMs() + WALK_EVERY_MS;
  };
  return () => {
    if (clock.nowMs() >= nextAtMs) void look();
    return found;
  };
}

/** As many as are told apart. */
const MOST_SCAN_FILES = 500;

async function waitingScanFiles(store: StateParts["store"]): Promise<number> {
  const open = await store.openTransfers(MOST_SCAN_FILES);
  return open.filter(({ state }) => state === "verified" || state === "committed").length;
}

/** No index helps to find them: all files there are are looked at. */
const STUCK_EVERY_MS = 60_000;

/** As many as are told apart, as they were within the last minute. */
function createStuckCount({ store, clock }: Pick<StateParts, "store" | "clock">): () => Promise<number> {
  let known: { readonly count: number; readonly atMs: number } | undefined;
  return async () => {
    const atMs = clock.nowMs();
    if (known === undefined || Math.abs(atMs - known.atMs) >= STUCK_EVERY_MS)
      known = { count: (await store.stuckTransfers(MOST_SCAN_FILES)).length, atMs };
    return known.count;
  };
}
