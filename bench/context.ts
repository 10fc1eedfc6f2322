import { join } from "node:path";
import type { Bench } from "./harness.ts";
import { objectSet, type SetName, writeSet } from "./sets.ts";

export interface BenchContext {
  /** Outside of the repository, on a disk; removed at the end. */
  readonly folder: string;
  readonly sets: readonly SetName[];
  /** An interpreter with pydicom and pynetdicom; a path that leads nowhere when there is none. */
  readonly python: string;
  /** The files of a set, written when they are first asked for. */
  files(name: SetName): Promise<readonly string[]>;
}

/** Prepares what the contenders need. */
export type BenchFactory = (context: BenchContext) => Promise<Bench>;

export function createContext(facts: Omit<BenchContext, "files">): BenchContext {
  const written = new Map<SetName, Promise<readonly string[]>>();
  return {
    ...facts,
    files(name) {
      const files = written.get(name) ?? writeSet(objectSet(name), setFolder(facts.folder, name));
      written.set(name, files);
      return files;
    },
  };
}

export function setFolder(folder: string, name: SetName): string {
  return join(folder, `set-${name}`);
}
