import type { Director } from "./director.ts";
import type { Faults } from "./faults.ts";
import type { HospitalInstance, HospitalStudy } from "./hospital.ts";
import { Violation } from "./invariants.ts";
import type { Scene } from "./scene.ts";
import { lives, NOBODY, type Scheduler } from "./scheduler.ts";
import { isTaken, sendInstance } from "./send-instance.ts";
import type { SimulatedDatabase } from "./simulated-store.ts";

/** Devices that send studies unasked, and each instance until they hear that it was taken. */
export interface Pushers {
  begin(): void;
  isDone(): boolean;
  /** @throws Violation when something that was taken is nowhere */
  conclude(database: SimulatedDatabase): Promise<void>;
}

const PATIENCE_MS = 15_000;
/** Longer than a study is waited for, so that it is a job by then. */
const REST_MS = 200_000;

export function createPushers({
  scene,
  scheduler,
  faults,
  director,
}: {
  readonly scene: Scene;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly director: Director;
}): Pushers {
  let sending = 0;
  let lastTakenMs = scheduler.nowMs;
  const taken: HospitalInstance[] = [];

  function send(study: HospitalStudy, index: number): void {
    const instance = study.instances[index];
    if (instance === undefined) {
      sending -= 1;
      return;
    }
    let isOver = false;
    const end = (isKept: boolean): void => {
      if (isOver) return;
      isOver = true;
      if (isKept) {
        taken.push(instance);
        lastTakenMs = scheduler.nowMs;
      } else if (faults.isOn) faults.count("sender gives up");
      const restMs = isKept ? scheduler.between(10, 2_000) : scheduler.between(500, 20_000);
      scheduler.at(scheduler.nowMs + restMs, () => send(study, isKept ? index + 1 : index), NOBODY);
    };
    const [node] = director.running();
    const life = director.lifeOf(scene.nodes[0] ?? "");
    scheduler.at(scheduler.nowMs + PATIENCE_MS, () => end(false), NOBODY);
    if (node === undefined) return;
    lives.run(life, () =>
      sendInstance(instance, node.receive, "SCANNER", { scheduler, faults }).then(
        (heard) => end(isTaken(heard)),
        () => end(false),
      ),
    );
  }

  return {
    begin() {
      for (const study of scene.pushed) {
        sending += 1;
        scheduler.at(scheduler.nowMs + scheduler.between(0, scene.chaosMs / 2), () => send(study, 0), NOBODY);
      }
    },
    isDone: () => sending === 0 && (scene.pushed.length === 0 || scheduler.nowMs > lastTakenMs + REST_MS),
    async conclude(database) {
      if (sending > 0) throw new Violation("settles", "what is sent unasked is never taken");
      const jobs = await database.ask("listJobs", { limit: 1_000 });
      for (const { studyInstanceUid, sopInstanceUid } of taken) {
        const job = jobs.find((each) => each.studyInstanceUid === studyInstanceUid);
        if (job === undefined) throw new Violation("one visible state", "what was sent unasked and taken is no job");
        if (job.state !== "delivered") continue;
        const ledger = await database.ask("ledger", job.id);
        const line = ledger.find((entry) => entry.sopInstanceUid === sopInstanceUid);
        if (line?.deliveredAtMs === undefined)
          throw new Violation("one visible state", "an instance that was taken was not delivered with its study");
      }
    },
  };
}
