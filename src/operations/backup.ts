import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { GatewayError } from "../errors/gateway-error.ts";
import type { BackupFacts } from "../store/backup.ts";
import { isMissing, syncFile, syncFolder, systemCodeOf } from "../units/durable-files.ts";
import type { OperationsContext } from "./context.ts";
import { isoTime } from "./describe.ts";

export interface BackupDocument extends BackupFacts {
  readonly file: string;
  readonly at: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** What a restored home needs besides, and is to be kept apart from it. */
  readonly leftOut: readonly string[];
}

const LEFT_OUT = [
  "keys of the projects",
  "what lies in keys below the home: the key of the withdrawn list, without which studies wait, and the one that evidence is signed with",
  "the settings file, and every file that it names: passwords, tokens, certificates",
  "staged originals, which are fetched again",
] as const;

/** What a backup that is rehearsed would hold. */
export type BackupRehearsalDocument = Pick<BackupDocument, "file" | "jobs" | "auditRecords" | "leftOut">;

/** The file can be made, and is not there again. @throws GatewayError as `makeEmpty`, STORE_BACKUP_ELSEWHERE */
export async function rehearseBackUp(context: OperationsContext, file: string): Promise<BackupRehearsalDocument> {
  requireOwnStore(context);
  const { store } = context;
  const growing = `${file}.part`;
  await makeEmpty(file, growing);
  await rm(growing, { force: true });
  const jobs = (await store.jobCounts()).reduce((sum, count) => sum + count.jobs, 0);
  const head = (await store.auditHeads()).find(({ where }) => where === "row");
  return { file, jobs, auditRecords: head?.count ?? 0, leftOut: LEFT_OUT };
}

/** See `Operations.backUp`. That it is made is written down first, and so is in it. */
export async function backUp(context: OperationsContext, file: string): Promise<BackupDocument> {
  requireOwnStore(context);
  const { store, audit, actor, clock } = context;
  const growing = `${file}.part`;
  await makeEmpty(file, growing);
  try {
    await audit.record({ event: "backup-made", actor, outcome: "success" });
    const facts = await store.backUp(growing);
    await syncFile(growing);
    const hash = createHash("sha256");
    await pipeline(createReadStream(growing), hash);
    const { size: sizeBytes } = await stat(growing);
    await rename(growing, file);
    await syncFolder(dirname(file));
    const at = isoTime(clock.nowMs());
    return { file, at, ...facts, sizeBytes, sha256: hash.digest("hex"), leftOut: LEFT_OUT };
  } catch (thrown) {
    await rm(growing, { force: true });
    throw thrown;
  }
}

/** The trail is not to tell of a backup that is not made here. @throws GatewayError STORE_BACKUP_ELSEWHERE */
function requireOwnStore({ withdrawn: { soleNode } }: OperationsContext): void {
  if (soleNode === undefined) throw new GatewayError("STORE_BACKUP_ELSEWHERE", { tool: "pg_dump" });
}

/** Only its owner can read it from its first moment on. @throws GatewayError BACKUP_FILE_EXISTS, BACKUP_UNFINISHED, FILE_NOT_WRITABLE */
async function makeEmpty(file: string, growing: string): Promise<void> {
  try {
    const isThere = await stat(file).then(
      () => true,
      (thrown: unknown) => !isMissing(thrown),
    );
    if (isThere) throw new GatewayError("BACKUP_FILE_EXISTS");
    await (await open(growing, "wx", 0o600)).close();
  } catch (thrown) {
    if (thrown instanceof GatewayError) throw thrown;
    const reason = systemCodeOf(thrown);
    if (reason === "EEXIST") throw new GatewayError("BACKUP_UNFINISHED", {}, thrown);
    throw new GatewayError("FILE_NOT_WRITABLE", { reason: reason ?? "unknown" }, thrown);
  }
}
