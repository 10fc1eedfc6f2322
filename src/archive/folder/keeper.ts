import { toGatewayError } from "../../errors/gateway-error.ts";
import { neverAborted } from "../../units/abort.ts";
import type { Clock } from "../../units/clock.ts";
import type { Logger } from "../../units/logger.ts";
import type { KnownFile } from "./indexed-instance.ts";
import { createKeptIndex } from "./kept-index.ts";

/** How an index outlives the program. */
export interface IndexKeeping {
  /** Below home. */
  readonly path: string;
  /** Whether it is written, too: by one program at a time. */
  readonly isWritten: boolean;
  /** Told that it could not be kept. */
  readonly logger: Logger;
}

/** Disposing it waits until what changed last is kept. */
export interface Keeper extends AsyncDisposable {
  load(signal: AbortSignal): Promise<Map<string, KnownFile>>;
  changed(known: ReadonlyMap<string, KnownFile>): void;
}

/** At most so often while the program runs: what a crash loses is read again. */
const EVERY_MS = 600_000;

export function createKeeper(root: string, clock: Clock, keeping: IndexKeeping | undefined): Keeper {
  if (keeping === undefined)
    return { load: async () => new Map(), changed: () => undefined, async [Symbol.asyncDispose]() {} };
  const { path, isWritten, logger } = keeping;
  const kept = createKeptIndex(path, root);
  let unsaved: ReadonlyMap<string, KnownFile> | undefined;
  let saving: Promise<void> | undefined;
  let savedAtMs = Number.NEGATIVE_INFINITY;
  const save = async (): Promise<void> => {
    const known = unsaved;
    unsaved = undefined;
    if (known === undefined) return;
    savedAtMs = clock.nowMs();
    await kept.save(known.values(), savedAtMs, neverAborted()).catch((thrown: unknown) => {
      logger.warn("the index of a folder could not be kept", { code: toGatewayError(thrown).code });
    });
  };
  return {
    load: (signal) => kept.load(signal),
    changed(known) {
      if (!isWritten) return;
      unsaved = known;
      if (saving !== undefined || clock.nowMs() - savedAtMs < EVERY_MS) return;
      saving = save().finally(() => {
        saving = undefined;
      });
    },
    async [Symbol.asyncDispose]() {
      await saving;
      await save();
    },
  };
}
