import { type BigIntStats, constants } from "node:fs";
import { lstat, open, opendir } from "node:fs/promises";
import { join } from "node:path";
import { systemCodeOf } from "../../units/durable-files.ts";
import type { HookOutputs } from "./hook.ts";
import { sha256Of } from "./workspace.ts";

/** A plain file that a hook left in its output folder. */
export interface OutputFile {
  /** Below `instances` or `files`, with slashes. */
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** `reason` is a word: a name that the hook chose is not repeated. */
export type CollectedOutputs =
  | { readonly kind: "collected"; readonly instances: readonly OutputFile[]; readonly files: readonly OutputFile[] }
  | { readonly kind: "refused"; readonly reason: string };

/** Names that every file system and server takes, and no shell or web page reads as something else. */
const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;
const DEEPEST = 6;
const LONGEST_NAME = 200;

class Refused extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

/** What is in `instances` and `files`; links, devices and everything else that is no plain file refuse the study. Nobody may write there any more. */
export async function collectOutputs(
  folder: string,
  outputs: HookOutputs,
  signal: AbortSignal,
): Promise<CollectedOutputs> {
  try {
    const places = new Map<string, OutputFile[]>([
      ["instances", []],
      ["files", []],
    ]);
    for (const top of await namesIn(folder)) {
      const place = places.get(top);
      if (place === undefined) throw new Refused("place");
      for (const file of await collect(join(folder, top), signal)) place.push(file);
    }
    const [instances = [], files = []] = places.values();
    if (instances.length > 0 && outputs === "files") throw new Refused("instances-not-expected");
    if (files.length > 0 && outputs === "instances") throw new Refused("files-not-expected");
    return { kind: "collected", instances, files };
  } catch (thrown) {
    if (thrown instanceof Refused) return { kind: "refused", reason: thrown.reason };
    const code = systemCodeOf(thrown);
    if (code === "EACCES" || code === "EPERM") return { kind: "refused", reason: "not-readable" };
    // ENXIO: a socket.
    if (code === "ELOOP" || code === "ENOTDIR" || code === "ENXIO")
      return { kind: "refused", reason: "not-a-plain-file" };
    throw thrown;
  }
}

async function collect(folder: string, signal: AbortSignal): Promise<readonly OutputFile[]> {
  const found: OutputFile[] = [];
  const seen = new Set<string>();
  const waiting = [""];
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    for (const entry of await namesIn(join(folder, below))) {
      signal.throwIfAborted();
      const name = below === "" ? entry : `${below}/${entry}`;
      const path = join(folder, name);
      checkName(name, entry, seen);
      const stats = await lstat(path, { bigint: true });
      if (stats.isDirectory()) waiting.push(name);
      else found.push({ name, path, ...(await plainFile(path, stats, signal)) });
    }
  }
  return found.sort(({ name: a }, { name: b }) => (a < b ? -1 : 1));
}

/** Not all file systems tell letters of different case apart. */
function checkName(name: string, entry: string, seen: Set<string>): void {
  if (!SEGMENT.test(entry) || name.length > LONGEST_NAME || name.split("/").length > DEEPEST)
    throw new Refused("path-characters");
  if (seen.has(name.toLowerCase())) throw new Refused("path-collides");
  seen.add(name.toLowerCase());
}

/** One with another name somewhere may be anybody's, and be changed there. */
async function plainFile(path: string, { nlink }: BigIntStats, signal: AbortSignal) {
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const stats = await file.stat();
  if (!stats.isFile() || nlink !== 1n) throw new Refused("not-a-plain-file");
  await file.chmod(0o400);
  return { sizeBytes: stats.size, sha256: await sha256Of(path, signal) };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const stats = await lstat(folder);
  if (!stats.isDirectory()) throw new Refused("not-a-plain-file");
  const names: string[] = [];
  for await (const { name } of await opendir(folder)) names.push(name);
  return names;
}
