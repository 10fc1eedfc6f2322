import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../units/clock.ts";
import { isMissing, systemCodeOf } from "../../units/durable-files.ts";
import type { Logger } from "../../units/logger.ts";

const SENTINEL = /^\.flip_complete-/;
/** What training writes, to be uploaded: never swept. */
const UPLOADS = "upload";

export interface ImageRetention extends AsyncDisposable {
  /** `failing`: the last sweep could not be done. */
  readonly state: "ok" | "failing" | "dead";
}

/** Removes downloads whose newest mark is older than `keepMs`. Answers how many. @throws what kept the first that could not be removed; the others are */
export async function sweepImages(folder: string, keepMs: number, nowMs: number): Promise<number> {
  let removed = 0;
  const failures: unknown[] = [];
  const sweep = async (path: string): Promise<void> => {
    const markedAtMs = await newestMark(path);
    if (markedAtMs === undefined || nowMs - markedAtMs <= keepMs) return;
    await rm(path, { recursive: true, force: true });
    removed += 1;
  };
  for (const net of await folders(folder)) {
    for (const project of await folders(join(folder, net))) {
      if (project === UPLOADS) continue;
      for (const session of await folders(join(folder, net, project)))
        await sweep(join(folder, net, project, session)).catch((thrown: unknown) => failures.push(thrown));
    }
  }
  if (failures.length > 0) throw failures[0];
  return removed;
}

async function folders(path: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (thrown) {
    if (isMissing(thrown)) return [];
    throw thrown;
  }
}

/** Undefined: a download that is under way, or none of ours. */
async function newestMark(path: string): Promise<number | undefined> {
  const marks = (await readdir(path)).filter((name) => SENTINEL.test(name));
  const times = await Promise.all(marks.map(async (name) => (await stat(join(path, name))).mtimeMs));
  return times.length === 0 ? undefined : Math.max(...times);
}

/** Sweeps now and then, until it is disposed. */
export function startImageRetention(options: {
  readonly folder: string;
  readonly keepMs: number;
  readonly everyMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}): ImageRetention {
  const { folder, keepMs, everyMs, clock, logger } = options;
  const stop = new AbortController();
  let state: ImageRetention["state"] = "ok";
  const sweep = async (): Promise<void> => {
    try {
      const count = await sweepImages(folder, keepMs, clock.nowMs());
      if (count > 0) logger.info("downloaded images removed", { count });
      state = "ok";
    } catch (thrown) {
      logger.warn("downloaded images could not be swept", { reason: systemCodeOf(thrown) });
      state = "failing";
    }
  };
  const running = (async () => {
    while (!stop.signal.aborted) {
      await sweep();
      await clock.sleep(everyMs, stop.signal).catch(() => undefined);
    }
  })().catch(() => {
    state = "dead";
  });
  return {
    get state() {
      return state;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
