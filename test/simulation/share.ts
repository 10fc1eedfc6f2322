import { createHash } from "node:crypto";
import type { MemoryDisk, MemoryFile } from "./memory-disk.ts";
import type { SentInstance } from "./simulated-destination.ts";

/** Watches a folder that is a destination: what gets its name there is delivered. */
export interface ShareWatch {
  holds(): ReadonlyMap<string, Buffer>;
  look(): void;
}

const INSTANCE = /^(?<project>[^/]+)\/[^/]+\/(?<study>[^/]+)\/[^/]+\/(?<instance>[^/]+)\.dcm$/;

export function watchShare(disk: MemoryDisk, path: string, onSent: (sent: SentInstance) => void): ShareWatch {
  const seen = new Map<string, MemoryFile>();
  const delivered = (): readonly (readonly [string, MemoryFile])[] =>
    disk.files(path).filter(([name]) => !name.startsWith(`${path}/.radferry/`) && name.endsWith(".dcm"));
  let changes = -1;
  return {
    holds: () =>
      new Map(delivered().map(([name, { content }]) => [name.split("/").at(-1)?.slice(0, -4) ?? "", content])),
    look() {
      if (disk.changes === changes) return;
      changes = disk.changes;
      for (const [name, file] of delivered()) {
        const before = seen.get(name);
        if (before === file) continue;
        seen.set(name, file);
        const { project = "", study = "", instance = "" } = INSTANCE.exec(name.slice(path.length + 1))?.groups ?? {};
        onSent({
          ...{ destination: "research-store", node: file.writer, project, studyInstanceUid: study },
          ...{ sopInstanceUid: instance, bytes: file.content, isAgain: before !== undefined },
          sha256: createHash("sha256").update(file.content).digest("hex"),
        });
      }
    },
  };
}
