import type { ErrorCode } from "../../errors/registry.ts";
import type { DirectArchiveSession, PacsRequest } from "../../network/rest/xnat/dqr.ts";
import { type PrearchiveSession, prearchiveFate } from "../../network/rest/xnat/prearchive.ts";
import { labelOfAccession } from "./hygiene.ts";
import type { ImportRows } from "./import-rows.ts";

/** Accession numbers by what became of them, each in one list, in the order of the cohort. */
export interface ImportStatus {
  readonly successful: readonly string[];
  readonly failed: readonly string[];
  readonly processing: readonly string[];
  readonly queued: readonly string[];
  readonly queueFailed: readonly string[];
}

export type Bucket = keyof ImportStatus;

/** What became of one accession number, and why. */
export interface AccessionStatus {
  readonly accession: string;
  readonly bucket: Bucket;
  /** For a failure. */
  readonly code?: ErrorCode;
  /** XNAT's own words. They may quote an identifier: for the caller alone. */
  readonly reason?: string;
  /** DQR has it in its queue, whatever else is said of it: it must not be asked for again. */
  readonly isInQueue: boolean;
}

/** What DQR's row of a try says. */
const FAILED = "FAILED";

interface Indexed {
  readonly labels: ReadonlySet<string>;
  readonly queued: ReadonlyMap<string, PacsRequest>;
  /** The newest try of each. */
  readonly executed: ReadonlyMap<string, PacsRequest>;
  readonly directArchive: ReadonlyMap<string, DirectArchiveSession>;
  readonly prearchive: ReadonlyMap<string, PrearchiveSession>;
}

/** @param staleMs so long a try may say nothing more before it counts as failed */
export function accessionStatuses(
  accessions: readonly string[],
  rows: ImportRows,
  { nowMs, staleMs }: { readonly nowMs: number; readonly staleMs: number },
): readonly AccessionStatus[] {
  const indexed = index(rows);
  const cohort = new Set(accessions);
  return accessions.map((accession) => {
    // Another accession number of the cohort may be what this one's label would be.
    const label = labelOfAccession(accession);
    const names = cohort.has(label) ? [accession] : [accession, label];
    return { accession, ...statusOf(names, indexed, nowMs - staleMs) };
  });
}

export function bucketsOf(statuses: readonly AccessionStatus[]): ImportStatus {
  const of = (bucket: Bucket) => statuses.filter((each) => each.bucket === bucket).map(({ accession }) => accession);
  return {
    successful: of("successful"),
    failed: of("failed"),
    processing: of("processing"),
    queued: of("queued"),
    queueFailed: of("queueFailed"),
  };
}

function index({ labels, queued, executed, directArchive, prearchive }: ImportRows): Indexed {
  return {
    labels: new Set(labels),
    queued: newest(queued),
    executed: newest(executed),
    directArchive: byName(directArchive, ({ status }) => status === "ERROR"),
    prearchive: byName(prearchive, isStuck),
  };
}

function newest(rows: readonly PacsRequest[]): ReadonlyMap<string, PacsRequest> {
  const found = new Map<string, PacsRequest>();
  for (const row of rows) {
    for (const name of new Set([row.accessionNumber, row.experimentLabel])) {
      if (!name) continue;
      const other = found.get(name);
      if (other === undefined || isNewer(row, other)) found.set(name, row);
    }
  }
  return found;
}

function isNewer(row: PacsRequest, other: PacsRequest): boolean {
  const [at, before] = [timeOf(row), timeOf(other)];
  return at === before ? row.id > other.id : at > before;
}

function timeOf({ executedTime, queuedTime, timestamp, created }: PacsRequest): number {
  return executedTime ?? timestamp ?? queuedTime ?? created ?? 0;
}

/** Of several with one name the one that is worst: ERROR beside RECEIVED is ERROR. */
function byName<
  T extends { readonly name?: string | null | undefined; readonly folderName?: string | null | undefined },
>(rows: readonly T[], isWorse: (row: T) => boolean): ReadonlyMap<string, T> {
  const found = new Map<string, T>();
  for (const row of rows) {
    const name = row.name || row.folderName;
    if (!name) continue;
    const other = found.get(name);
    if (other === undefined || isWorse(row)) found.set(name, row);
  }
  return found;
}

type Judged = Omit<AccessionStatus, "accession">;

/** The first that applies; what is archived is archived, whatever was said of it before. */
function statusOf(names: readonly string[], rows: Indexed, staleBeforeMs: number): Judged {
  const find = <T>(among: ReadonlyMap<string, T>): T | undefined =>
    names.map((name) => among.get(name)).find((row) => row !== undefined);
  const queued = find(rows.queued);
  const isInQueue = queued !== undefined;
  if (names.some((name) => rows.labels.has(name))) return { bucket: "successful", isInQueue };

  const direct = find(rows.directArchive);
  const prearchive = find(rows.prearchive);
  const executed = find(rows.executed);
  if (direct?.status === "ERROR") return failed("direct archive: ERROR", isInQueue);
  if (prearchive !== undefined && isStuck(prearchive)) return failed(`prearchive: ${prearchive.status}`, isInQueue);
  if (executed?.status === FAILED) {
    // DQR itself tries that request again; one that somebody else made since says nothing of this failure.
    if ((queued?.retries ?? 0) > 0) return { bucket: "queued", isInQueue };
    return failed(executed.errorMessage ?? "DQR: FAILED", isInQueue);
  }
  const isMoving = direct !== undefined || executed !== undefined || prearchive !== undefined;
  if (!isMoving) return { bucket: isInQueue ? "queued" : "queueFailed", isInQueue };
  if (!isStalled({ direct, executed, prearchive }, staleBeforeMs)) return { bucket: "processing", isInQueue };
  if (isInQueue) return { bucket: "queued", isInQueue };
  return {
    bucket: "failed",
    code: "FLIP_IMPORT_STALLED",
    reason: stalledIn({ direct, executed, prearchive }),
    isInQueue,
  };
}

function isStuck({ status }: PrearchiveSession): boolean {
  return prearchiveFate(status) === "stuck";
}

function failed(reason: string, isInQueue: boolean): Judged {
  return { bucket: "failed", code: "FLIP_IMPORT_FAILED", reason, isInQueue };
}

interface Moving {
  readonly direct: DirectArchiveSession | undefined;
  readonly executed: PacsRequest | undefined;
  readonly prearchive: PrearchiveSession | undefined;
}

/** Rows that say no time are never stale. */
function isStalled({ executed, prearchive }: Moving, staleBeforeMs: number): boolean {
  // The direct archive says no time: what it holds is as old as the request that brought it.
  const times = [xnatTime(prearchive?.lastmod), executed && timeOf(executed)].filter(
    (at) => at !== undefined && at > 0,
  );
  return times.length > 0 && times.every((at) => at !== undefined && at < staleBeforeMs);
}

/** `2026-11-21 16:00:00.0`, in UTC unless the server says otherwise: a day's tolerance makes zones not matter. */
function xnatTime(text: string | null | undefined): number | undefined {
  const at = text ? Date.parse(`${text.replace(" ", "T").replace(/\.\d+$/, "")}Z`) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

function stalledIn({ direct, executed, prearchive }: Moving): string {
  if (prearchive !== undefined) return `prearchive: ${prearchive.status} for too long`;
  if (direct !== undefined) return `direct archive: ${direct.status} for too long`;
  return `DQR: ${executed?.status} for too long`;
}
