import type { Settings } from "../config/settings.ts";
import type { PipelineServices } from "../pipeline/services.ts";
import { startWorkers } from "../pipeline/workers.ts";
import type { Actor } from "../units/actor.ts";
import type { AuditTrail } from "../units/audit.ts";
import { clearHooks } from "./hooks-folder.ts";

/** How long running jobs may go on after a stop was asked for; then they stop where they can be taken up again. */
const DRAIN_MS = 10_000;

interface CrewParts {
  readonly settings: Settings;
  readonly node: { readonly name: string };
  readonly worker: Actor;
  readonly audit: AuditTrail;
}

/** Those who work on jobs. */
export interface Crew {
  /** To as many as these settings need; who is there already stays. Nobody starts once they drain. */
  grow(settings: Settings): void;
  drain(): Promise<void>;
}

/** The audit trail tells when work begins and when it has come to its end. */
export async function startWork(
  { settings, node, worker, audit }: CrewParts,
  services: PipelineServices,
  opened: AsyncDisposableStack,
): Promise<Crew> {
  const count = workerCount(settings);
  await clearHooks(settings.home, services.store);
  await audit.record({ event: "service-started", actor: worker, outcome: "success", detail: { workers: count } });
  opened.defer(() => audit.record({ event: "service-stopped", actor: worker, outcome: "success" }));
  const stop = new AbortController();
  // By these names a node that starts anew finds what it left.
  const start = (more: number, group: string) =>
    startWorkers(services, { count: more, name: `${node.name}/${group}`, stop: stop.signal });
  const groups = [start(count, "worker")];
  let working = count;
  let isDraining = false;
  const drain = async (): Promise<void> => {
    isDraining = true;
    await Promise.all(groups.map((group) => group.drain()));
  };
  opened.defer(async () => {
    stop.abort();
    await drain();
  });
  return {
    grow(reloaded) {
      const wanted = workerCount(reloaded);
      if (wanted <= working || isDraining) return;
      groups.push(start(wanted - working, `worker-${groups.length + 1}`));
      working = wanted;
    },
    async drain() {
      const timer = setTimeout(() => stop.abort(), DRAIN_MS);
      await drain();
      clearTimeout(timer);
    },
  };
}

/** Studies that are de-identified and delivered while others are fetched. */
const BESIDE_RETRIEVAL = 4;
const MAXIMUM_WORKERS = 12;

/** Enough to keep every archive's associations busy: a worker has one study from its first question to its last receipt. */
function workerCount({ archives, node }: Settings): number {
  if (!node.roles.includes("worker")) return 0;
  const associations = archives.reduce((sum, { availability }) => sum + availability.associations, 0);
  return Math.min(associations + BESIDE_RETRIEVAL, MAXIMUM_WORKERS);
}
