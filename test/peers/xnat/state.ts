import { createHash } from "node:crypto";

/** A file of a resource. Contents over `KEPT_BYTES` are counted and digested only: uploads may be of any size. */
export interface StoredFile {
  readonly sizeBytes: number;
  readonly md5: string;
  /** Undefined: too long to be kept, or lost from the disk though the catalogue names it. */
  readonly bytes: Buffer | undefined;
}

const KEPT_BYTES = 64 * 1024 * 1024;

export interface Resource {
  readonly id: number;
  readonly label: string;
  format: string;
  content: string;
  /** By path within the resource. */
  readonly files: Map<string, StoredFile>;
  /** What the catalogue says; undefined: as many as there are. */
  claimedFiles?: number;
}

export interface Scan {
  readonly id: string;
  readonly xsiType: string;
  readonly uid: string;
  readonly modality: string;
  readonly seriesDescription: string;
  readonly resources: Map<string, Resource>;
}

/** What has scans and resources: a session in the archive or in the prearchive. */
export interface Holder {
  readonly scans: Map<string, Scan>;
  readonly resources: Map<string, Resource>;
}

export interface Experiment extends Holder {
  readonly id: string;
  readonly label: string;
  readonly project: string;
  readonly subject: string;
  readonly xsiType: string;
  readonly uid: string;
  readonly date: string;
  readonly insertDate: string;
  readonly assessors: Map<string, Holder>;
}

export interface PrearchiveSession extends Holder {
  readonly project: string;
  readonly timestamp: string;
  readonly name: string;
  readonly subject: string;
  /** Study Instance UID. */
  readonly tag: string;
  status: string;
  readonly preventAnon: boolean;
}

export interface Subject {
  readonly id: string;
  readonly label: string;
  readonly insertDate: string;
}

export interface Project {
  readonly id: string;
  readonly secondaryId: string;
  readonly name: string;
  readonly description: string;
  /** 0: all to the prearchive; 4: archived, nothing replaced; 5: archived, replacing. */
  prearchiveCode: number;
  dqrEnabled: boolean;
  readonly users: Map<string, string>;
  readonly subjects: Map<string, Subject>;
  readonly experiments: Map<string, Experiment>;
}

export interface User {
  readonly id: number;
  readonly username: string;
  password: string;
  email: string;
  firstName: string;
  lastName: string;
  enabled: boolean;
  readonly roles: Set<string>;
  lastSuccessfulLogin: number | undefined;
}

/** A row of `xhbm_queued_pacs_request` or `xhbm_executed_pacs_request`. */
export interface PacsRequest {
  readonly id: number;
  readonly created: number;
  timestamp: number;
  readonly username: string;
  readonly pacsId: number;
  readonly xnatProject: string;
  readonly studyInstanceUid: string;
  readonly seriesIds: readonly string[];
  readonly relabelMap: Readonly<Record<string, string>>;
  readonly destinationAeTitle: string;
  status: string;
  readonly priority: number;
  readonly queuedTime: number;
  readonly accessionNumber: string | undefined;
  readonly patientId: string | undefined;
  readonly studyDate: string | undefined;
  errorMessage: string | undefined;
  retries: number;
  readonly executedTime: number | undefined;
}

/** A row of `xhbm_direct_archive_session`. */
export interface DirectArchiveSession extends Holder {
  readonly id: number;
  readonly project: string;
  readonly subject: string;
  readonly name: string | undefined;
  readonly folderName: string;
  readonly tag: string;
  status: string;
  /** Which import brought it. */
  readonly request: PacsRequest | undefined;
}

export interface Receiver {
  readonly id: number;
  aeTitle: string;
  port: number;
  enabled: boolean;
  identifier: string;
  customProcessing: boolean;
  directArchive: boolean;
  anonymizationEnabled: boolean;
}

export interface PacsAvailability {
  readonly id: number;
  readonly dayOfWeek: string;
  readonly availabilityStart: string;
  readonly availabilityEnd: string;
  readonly threads: number;
  readonly utilizationPercent: number;
  availableNow: boolean;
}

export interface Pacs {
  readonly id: number;
  readonly aeTitle: string;
  readonly host: string;
  readonly label: string;
  readonly queryRetrievePort: number;
  queryable: boolean;
  storable: boolean;
  readonly availability: PacsAvailability[];
}

/** Everything the server knows. */
export interface XnatState {
  readonly projects: Map<string, Project>;
  readonly users: Map<string, User>;
  readonly prearchive: PrearchiveSession[];
  readonly queued: PacsRequest[];
  readonly executed: PacsRequest[];
  readonly directArchive: DirectArchiveSession[];
  readonly receivers: Receiver[];
  readonly pacs: Pacs[];
  readonly settings: Record<string, string | number | boolean>;
  readonly subscriptions: unknown[];
  /** Sequence of the database. */
  nextId(): number;
}

const DAYS = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];

/** A site with a service user, one PACS that is always open, and one receiver that DQR can use. */
export function initialState(username: string, password: string): XnatState {
  let id = 0;
  const nextId = (): number => {
    id += 1;
    return id;
  };
  const availability = DAYS.map((dayOfWeek) => ({
    id: nextId(),
    dayOfWeek,
    availabilityStart: "00:00",
    availabilityEnd: "00:00",
    threads: 1,
    utilizationPercent: 100,
    availableNow: true,
  }));
  const service = { username, password, email: `${username}@example.org`, firstName: "Radferry", lastName: "Service" };
  return {
    projects: new Map(),
    users: new Map([
      [
        username,
        { id: nextId(), ...service, enabled: true, roles: new Set(["Administrator"]), lastSuccessfulLogin: undefined },
      ],
    ]),
    prearchive: [],
    queued: [],
    executed: [],
    directArchive: [],
    receivers: [
      {
        id: 1,
        aeTitle: "XNAT",
        port: 8104,
        enabled: true,
        identifier: "dqrObjectIdentifier",
        customProcessing: true,
        directArchive: true,
        anonymizationEnabled: false,
      },
    ],
    pacs: [
      {
        id: 1,
        aeTitle: "PACS",
        host: "127.0.0.1",
        label: "practice",
        queryRetrievePort: 104,
        queryable: true,
        storable: true,
        availability,
      },
    ],
    settings: {
      dqrCallingAe: "XNAT",
      pacsAvailabilityCheckFrequency: "1 minute",
      dqrMaxPacsRequestAttempts: "5",
      dqrWaitToRetryRequestInSeconds: "300",
      notifyAdminOnImport: false,
      assumeSameSessionIfArrivedWithin: "30 minutes",
      allowAllUsersToUseDqr: false,
      allowAllProjectsToUseDqr: false,
    },
    subscriptions: [],
    nextId,
  };
}

export function newProject(id: string, facts: Partial<Pick<Project, "secondaryId" | "name" | "description">>): Project {
  return {
    id,
    secondaryId: facts.secondaryId ?? id,
    name: facts.name ?? id,
    description: facts.description ?? "",
    prearchiveCode: 4,
    dqrEnabled: true,
    users: new Map(),
    subjects: new Map(),
    experiments: new Map(),
  };
}

export function newHolder(): Holder {
  return { scans: new Map(), resources: new Map() };
}

export function storedFile(bytes: Buffer): StoredFile {
  return { sizeBytes: bytes.length, md5: createHash("md5").update(bytes).digest("hex"), bytes };
}

/** Takes a body of any length. */
export async function storeStream(body: AsyncIterable<Uint8Array>): Promise<StoredFile> {
  const hash = createHash("md5");
  let kept: Uint8Array[] | undefined = [];
  let sizeBytes = 0;
  for await (const piece of body) {
    hash.update(piece);
    sizeBytes += piece.length;
    if (sizeBytes > KEPT_BYTES) kept = undefined;
    kept?.push(piece);
  }
  return { sizeBytes, md5: hash.digest("hex"), bytes: kept && Buffer.concat(kept) };
}

export function resourceOf(holder: Pick<Holder, "resources">, label: string, state: XnatState): Resource {
  const existing = holder.resources.get(label);
  if (existing !== undefined) return existing;
  const resource: Resource = { id: state.nextId(), label, format: "", content: "", files: new Map() };
  holder.resources.set(label, resource);
  return resource;
}

/** As XNAT writes times in tables. */
export function stamp(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").replace("Z", "");
}
