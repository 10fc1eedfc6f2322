import type { DataSet } from "../dicom/data-set.ts";
import type { SeriesInstanceUid, SopInstanceUid, StudyInstanceUid } from "../dicom/uid.ts";

/** What a study is looked for by: its UID, or patient and accession number, matched exactly. */
export type StudyQuery =
  | { readonly by: "study-uid"; readonly studyInstanceUid: StudyInstanceUid }
  | {
      readonly by: "accession-number";
      readonly accessionNumber: string;
      readonly patientId: string | undefined;
      /** Asks for what each study says of itself. @default false */
      readonly described?: boolean;
    };

export interface StudyMatch {
  readonly studyInstanceUid: StudyInstanceUid;
  readonly patientId: string;
  readonly accessionNumber: string;
  /** Where it was asked for; what the archive does not say is empty. */
  readonly described?: StudyDescribed;
}

export interface StudyDescribed {
  readonly studyDate: string;
  readonly studyTime: string;
  readonly studyDescription: string;
}

export interface ListedInstance {
  readonly seriesInstanceUid: SeriesInstanceUid;
  readonly sopInstanceUid: SopInstanceUid;
  /** Optional in answers, and asked for because C-GET must name the classes it takes. */
  readonly sopClassUid: string | undefined;
}

/** What the archive says a study holds: the UIDs; a count when UIDs are refused; `unknown` when both are. */
export type StudyListing =
  | {
      readonly kind: "instances";
      readonly instances: readonly ListedInstance[];
      /** How many more the study holds by its counts, by names that are no UIDs, or by what another says: they cannot be asked for. @default 0 */
      readonly unlisted?: number;
    }
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "unknown" };

/** What to fetch: a study, or only some of its series, or only the instances still missing. */
export interface RetrieveRequest {
  readonly studyInstanceUid: StudyInstanceUid;
  readonly seriesInstanceUids?: readonly SeriesInstanceUid[];
  readonly instances?: readonly ListedInstance[];
  /** SOP classes of what is fetched, where the archive named them. */
  readonly sopClassUids?: readonly string[];
  /** What should have arrived in the end, where the archive listed it: the wait for late instances ends with the last of them. */
  readonly wanted?: ReadonlySet<SopInstanceUid>;
  /** The study job that it is for. */
  readonly job?: string;
  /** Whether the archive asked meanwhile to be left alone: then nothing further is asked of it, and what was not is missing. */
  readonly isSpared?: () => boolean;
}

/** How a retrieval ended, by the archive's own account. What arrived is in staging; this is never taken as proof. */
export interface RetrieveOutcome {
  readonly status: number;
  readonly completed: number | undefined;
  readonly failed: number | undefined;
  /** How long the archive asked to be left alone, where it did besides what it sent. */
  readonly retryAfterMs?: number;
}

/** How a rehearsed retrieval ended; `undefined` counts and a status when the archive held nothing to try with. */
export type Rehearsal = { readonly kind: "nothing-to-try" } | ({ readonly kind: "tried" } & RetrieveOutcome);

export type ArchiveKind = "dimse" | "dicomweb" | "rad69" | "orthanc" | "xnat-dqr" | "folder";

/** What an archive of a kind can do at best; what a site's own refuses shows when it is asked. */
export interface ArchiveCapabilities {
  /** `by-another`: it can be retrieved from only, and another archive is searched in its place. */
  readonly search: "itself" | "by-another";
  /** What it tells of a study's contents; absent: instances by UID. */
  readonly lists?: "instances" | "counts";
  /** The least that can be asked for. */
  readonly retrieves: "study" | "series" | "instance";
  /** Who opens the connections that instances come over. */
  readonly connects: "us" | "archive";
}

/** Where studies are pulled from. Instances arrive in staging, whoever sends them. */
export interface Archive extends AsyncDisposable {
  readonly name: string;
  readonly kind: ArchiveKind;
  readonly capabilities: ArchiveCapabilities;
  /** How often each thing can be asked for at once. */
  readonly associations: number;
  echo(signal: AbortSignal): Promise<void>;
  /** Exact matches only; an empty array is a clean "not found". @throws GatewayError */
  findStudies(query: StudyQuery, signal: AbortSignal): Promise<readonly StudyMatch[]>;
  /** A query as given, for people looking round: every answer, as it came. */
  find(identifier: DataSet, maximumAnswers: number, signal: AbortSignal): AsyncIterable<DataSet>;
  listStudy(study: StudyInstanceUid, signal: AbortSignal): Promise<StudyListing>;
  retrieve(request: RetrieveRequest, signal: AbortSignal): Promise<RetrieveOutcome>;
  /** Asks for one instance of whatever the archive holds, to learn whether a retrieval would be carried out at all. It may be refused: nothing of it is kept. */
  rehearseRetrieval(signal: AbortSignal): Promise<Rehearsal>;
}
