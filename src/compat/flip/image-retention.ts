import type { Dirent } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../units/clock.ts";
import { isMissing, systemCodeOf } from "../../units/durable-files.ts";
import type { Logger } from "../../units/logger.ts";
import { FETCHING, SENTINEL } from "./image-files.ts";

/** What training writes, to be uploaded: never swept. */
const UPLOADS = "upload";
/** As it comes from XNAT. */
const ZIP = ".zip";
/** One that takes longer was broken off. */
const LONGEST_DOWNLOAD_MS = 86_400_000;

export interface ImageRetention extends AsyncDisposable {
  /** `failing`: the last sweep could not be done. */
  readonly state: "ok" | "failing" | "dead";
}

/**
 * Removes downloads that nobody used for longer than `keepMs`, and what is left of those that were broken off. Answers how many. @throws what
 * kept the first that could not be removed; the others are
 */
export async function sweepImages(folder: string, keepMs: number, nowMs: number): Promise<number> {
  let removed = 0;
  const failures: unknown[] = [];
  const sweep = async (entry: Dirent): Promise<void> => {
    const path = join(entry.parentPath, entry.name);
    if (!(await isPast(entry, path, keepMs, nowMs))) return;
    await rm(path, { recursive: true, force: true });
    removed += 1;
  };
  for (const net of await folders(folder)) {
    for (const project of await folders(join(folder, net))) {
      if (project === UPLOADS) continue;
      for (const entry of await entriesOf(join(folder, net, project)))
        await sweep(entry).catch((thrown: unknown) => failures.push(thrown));
    }
  }
  if (failures.length > 0) throw failures[0];
  return removed;
}

async function folders(path: string): Promise<readonly string[]> {
  return (await entriesOf(path)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function entriesOf(path: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (thrown) {
    if (isMissing(thrown)) return [];
    throw thrown;
  }
}

/** Without a mark it may be under way, be it short how long images are kept. */
async function isPast(entry: Dirent, path: string, keepMs: number, nowMs: number): Promise<boolean> {
  const begunAtMs = entry.isDirectory() ? await lastBegun(path, nowMs) : undefined;
  if (begunAtMs !== undefined && nowMs - begunAtMs <= LONGEST_DOWNLOAD_MS) return false;
  const usedAtMs = entry.isDirectory() ? await newestMark(path, SENTINEL) : undefined;
  if (usedAtMs !== undefined) return nowMs - usedAtMs > keepMs;
  const isOurs = entry.isDirectory() || (entry.isFile() && entry.name.endsWith(ZIP));
  return isOurs && nowMs - (await stat(path)).mtimeMs > Math.max(keepMs, LONGEST_DOWNLOAD_MS);
}

async function lastBegun(path: string, nowMs: number): Promise<number | undefined> {
  try {
    return await newestMark(path, FETCHING);
  } catch (thrown) {
    // It ended while it was looked at.
    if (isMissing(thrown)) return nowMs;
    throw thrown;
  }
}

/** When it was used last, or a download into it began. */
async function newestMark(path: string, kind: string): Promise<number | undefined> {
  const marks = (await readdir(path)).filter((name) => name.startsWith(kind));
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
