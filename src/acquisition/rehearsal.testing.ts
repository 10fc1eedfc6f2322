import { createHash, randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import type { Acquisition, AcquisitionStore, NewScanTask } from "../store/acquisitions.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import type { AuditTrail } from "../units/audit.ts";
import { systemDisk } from "../units/disk.ts";
import { silentLogger } from "../units/logger.ts";
import { createManualClock, type ManualClock } from "../units/manual-clock.testing.ts";
import { createLocalExams, type ExamManager } from "./exam-manager.ts";
import { type DataLake, openDataLake } from "./lake/data-lake.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import { type AcquisitionPolicy, USUAL_POLICY } from "./policy.ts";
import { createUploads, type FileAnnouncement, type Uploads } from "./uploads.ts";

export interface ScanSite extends AsyncDisposable {
  readonly folder: string;
  readonly store: AcquisitionStore;
  /** What the audit trail says of ends of acquisitions. */
  ends(): Promise<readonly unknown[]>;
  readonly lake: DataLake;
  readonly clock: ManualClock;
  readonly ledger: Ledger;
  readonly uploads: Uploads;
}

export interface ScanSiteParts {
  readonly store: AcquisitionStore;
  readonly exams: ExamManager;
  readonly lake: DataLake;
}

/** A store, a lake and a ledger over them; `through` puts something in between. */
export async function openScanSite(
  options: {
    readonly folder?: string;
    readonly policy?: Partial<AcquisitionPolicy>;
    readonly through?: (parts: ScanSiteParts) => ScanSiteParts;
  } = {},
): Promise<ScanSite> {
  await using opened = new AsyncDisposableStack();
  const folder = options.folder ?? opened.use(await temporaryFolder()).path;
  const clock = createManualClock(1_000_000);
  const store = opened.use(await openSqliteStore({ path: join(folder, "radferry.db") }));
  const audit: AuditTrail = { record: (event) => store.appendAudit(event, clock.nowMs()) };
  const lake = opened.use(await openDataLake({ path: join(folder, "lake"), disk: systemDisk }));
  const direct = { store, lake, exams: createLocalExams(store, clock) };
  const parts = options.through?.(direct) ?? direct;
  const policy = { ...USUAL_POLICY, ...options.policy };
  const ledger = createLedger({ ...parts, clock, logger: silentLogger, policy, audit });
  const closing = opened.move();
  return {
    folder,
    store,
    async ends() {
      const records = await store.auditRecords({ after: 0, limit: 1_000 });
      const events = records.map(({ record }): { event: string; detail: unknown } => JSON.parse(record));
      return events.flatMap(({ event, detail }) => (event === "acquisition-ended" ? [detail] : []));
    },
    lake,
    clock,
    ledger,
    uploads: createUploads(ledger),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

export const DEVICE = "0b9f4d5e-0000-4000-8000-0000000000d1";
export const OTHER_DEVICE = "0b9f4d5e-0000-4000-8000-0000000000d2";
const WORKFLOW = "0b9f4d5e-0000-4000-8000-0000000000f1";

export async function addTask(store: AcquisitionStore, facts: Partial<NewScanTask> = {}): Promise<string> {
  const task: NewScanTask = {
    id: randomUUID(),
    workflowId: WORKFLOW,
    deviceId: DEVICE,
    isTemplate: false,
    status: "NEW",
    progress: 0,
    fields: JSON.stringify({ name: "scan", task_type: "ACQUISITION" }),
    creator: "anna",
    wantedAtMs: undefined,
    ...facts,
  };
  return (await store.addScanTask(task, 0)).id;
}

/** A task that its device is at. */
export async function acquiring(site: Pick<ScanSite, "store" | "ledger">, progress = 10): Promise<Acquisition> {
  const taskId = await addTask(site.store);
  const claimed = await site.ledger.claim({ taskId, deviceId: DEVICE, isTriggered: false });
  await site.ledger.progressed(claimed, progress);
  return claimed;
}

export const HDF5_BYTES = Buffer.concat([Buffer.from("\x89HDF\r\n\x1a\n", "latin1"), Buffer.alloc(5_000, 7)]);

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function announced(bytes: Uint8Array, facts: Partial<FileAnnouncement> = {}): FileAnnouncement {
  const usual = { fileName: "scan.mrd", sizeBytes: bytes.length, sha256: sha256Of(bytes), parameter: undefined };
  return { ...usual, isLast: false, ...facts };
}

/** Every file below a folder, by its path in it. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/**
 * At its n-th call nothing answers any more, and nothing further happens: as if the process were gone.
 * @param isDone what that call asked for still happens; only its answer is lost
 */
export function dyingAt(
  last: number,
  isDone = false,
): { readonly through: (parts: ScanSiteParts) => ScanSiteParts; readonly died: Promise<void> } {
  let calls = 0;
  const { promise: died, resolve: die } = Promise.withResolvers<void>();
  const guarded = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name) {
        const value: unknown = Reflect.get(object, name);
        if (typeof value !== "function" || name === "folderOf") return value;
        return (...args: readonly unknown[]) => {
          calls += 1;
          if (calls <= last) return Reflect.apply(value, object, args);
          const asked = isDone && calls === last + 1 ? Promise.resolve(Reflect.apply(value, object, args)) : undefined;
          void Promise.allSettled([asked]).then(() => die());
          return new Promise(() => undefined);
        };
      },
    });
  return {
    died,
    through: ({ store, exams, lake }) => ({ store: guarded(store), exams: guarded(exams), lake: guarded(lake) }),
  };
}
