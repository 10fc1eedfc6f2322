import { join } from "node:path";
import type { Settings } from "../config/settings.ts";
import { errorFields } from "../observe/error-fields.ts";
import { clearPlaces, type PlaceContext } from "../operations/withdrawn-places.ts";
import { removeTree } from "../pipeline/hook/workspace.ts";
import type { Outbox } from "../staging/outbox.ts";
import type { StagingArea } from "../staging/staging-area.ts";
import type { Store } from "../store/store.ts";
import type { Actor } from "../units/actor.ts";
import type { Clock } from "../units/clock.ts";
import type { Logger } from "../units/logger.ts";
import { hooksFolderOf } from "./hooks-folder.ts";
import { namesOfHome, noteNodeName } from "./node-names.ts";
import type { Intake } from "./open-intake.ts";
import { withdrawnKeyFile } from "./withdrawn.ts";

/** A withdrawal waits for this node no longer, if it is at work. */
const LOOK_MS = 2_000;
/** After what a person may have to mend first. */
const REST_MS = 60_000;
const DAY_MS = 86_400_000;

export interface PlaceParts {
  readonly settings: Settings;
  readonly node: { readonly name: string };
  readonly worker: Actor;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly staging: StagingArea;
  readonly outbox: Outbox;
  readonly intake: Pick<Intake, "sweep"> | undefined;
}

/** Removes from this node's disk what it has of patients who were withdrawn, wherever that was done: at start, and within seconds. */
export async function keepPlaces(parts: PlaceParts): Promise<AsyncDisposable> {
  const { settings, node, clock, logger } = parts;
  await noteNodeName(settings, node.name);
  const context = await contextOf(parts);
  const stop = new AbortController();
  const look = async (): Promise<number> => {
    try {
      const withdrawals = await clearPlaces(context, stop.signal);
      if (withdrawals > 0) logger.info("copies of withdrawn patients removed", { withdrawals });
      return LOOK_MS;
    } catch (thrown) {
      if (!stop.signal.aborted) logger.error("copies of withdrawn patients could not be removed", errorFields(thrown));
      return REST_MS;
    }
  };
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) await clock.sleep(await look(), stop.signal).catch(() => undefined);
  };
  const running = loop();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

async function contextOf({
  settings,
  worker,
  store,
  clock,
  staging,
  outbox,
  intake,
}: PlaceParts): Promise<PlaceContext> {
  const {
    home,
    staging: { keepDays },
  } = settings;
  return {
    ...{ actor: worker, store, clock, staging },
    keyFile: withdrawnKeyFile(settings),
    nodes: await namesOfHome(settings),
    async removeCopiesOf(job) {
      await outbox.remove(job);
      await removeTree(join(hooksFolderOf(home), job));
    },
    sweepUnasked: async () => await intake?.sweep(keepDays * DAY_MS),
  };
}
