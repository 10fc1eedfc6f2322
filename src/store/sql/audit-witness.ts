import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import type { AuditHead } from "../audit-chain.ts";

/** Keeps how far the audit trail goes in a file beside the database: who takes records away with SQL does not reach it. */
export interface AuditWitness {
  /** Something was appended since it was written. */
  isBehind: boolean;
  /** Undefined when there is no such file, or it cannot be understood. */
  read(): AuditHead | undefined;
  /** After the commit: the file may be behind the trail, never ahead of it. A disk that refuses leaves it behind. */
  write(head: AuditHead): void;
}

const HEAD = /^(?<count>[0-9]{1,15}) (?<hash>[0-9a-f]{64})\n$/;

/** @param databasePath the file is named after it, with `.audit-head` behind */
export function createAuditWitness(databasePath: string): AuditWitness {
  const path = `${databasePath}.audit-head`;
  const temporaryPath = `${path}.${process.pid}`;
  return {
    isBehind: false,
    read() {
      try {
        const { count, hash } = HEAD.exec(readFileSync(path, "latin1"))?.groups ?? {};
        return count === undefined || hash === undefined ? undefined : { count: Number(count), hash };
      } catch {
        return undefined;
      }
    },
    write({ count, hash }) {
      try {
        const file = openSync(temporaryPath, "w", 0o600);
        try {
          writeSync(file, `${count} ${hash}\n`);
          fsyncSync(file);
        } finally {
          closeSync(file);
        }
        renameSync(temporaryPath, path);
        this.isBehind = false;
      } catch {
        this.isBehind = true;
      }
    },
  };
}
