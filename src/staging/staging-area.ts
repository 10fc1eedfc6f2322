import type { DataSet } from "../dicom/data-set.ts";
import type { SeriesInstanceUid, SopInstanceUid, StudyInstanceUid } from "../dicom/uid.ts";

/** A whole instance in staging, with what later steps need to know of it without reading it again. */
export interface StagedInstance {
  readonly studyInstanceUid: StudyInstanceUid;
  readonly seriesInstanceUid: SeriesInstanceUid;
  readonly sopInstanceUid: SopInstanceUid;
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  readonly modality: string;
  readonly sizeBytes: number;
  readonly path: string;
}

export interface IncomingFileOptions {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly sourceAeTitle: string;
}

/** A whole instance that staging does not take. */
export interface WholeInstance {
  readonly instance: StagedInstance;
  /** What its header says, but longer values. */
  readonly dataSet: DataSet;
  /** Its bytes, when they are few: there is no file at `instance.path` then. */
  readonly pieces: readonly Uint8Array[] | undefined;
}

/** Keeps it in a place of its own; its file is moved there. */
export type TakeElsewhere = (whole: WholeInstance) => Promise<void>;

/** One instance on its way in: data set bytes in order, under a temporary name until `commit`. */
export interface IncomingFile {
  /** A promise holds the sender back. */
  write(chunk: Uint8Array): void | Promise<void>;
  /**
   * Reads the UIDs back, asks `admit`, and renames the file to its final name. An instance that is staged already is kept as it was.
   * @param otherwise takes the instance when it is not admitted; what it throws is thrown
   * @throws GatewayError INSTANCE_UNREADABLE, INSTANCE_MISMATCH (UIDs differ from the command's or are not valid), INSTANCE_UNSOLICITED (not admitted)
   */
  commit(admit: (instance: StagedInstance) => boolean, otherwise?: TakeElsewhere): Promise<StagedInstance>;
  abort(): Promise<void>;
}

/** What takes instances in. */
export interface InstanceIntake {
  /** For files on their way in, on the same file system: what is left in it is removed at the next opening. */
  readonly incoming: string;
  begin(options: IncomingFileOptions): Promise<IncomingFile>;
  /**
   * Takes a whole Part 10 file over, bytes as they are: it is moved. An instance that is staged already is kept as it was, and the file removed.
   * @throws GatewayError INSTANCE_UNREADABLE, INSTANCE_MISMATCH when its UIDs are not valid, INSTANCE_UNSOLICITED (not admitted); the file stays
   */
  adopt(path: string, admit: (instance: StagedInstance) => boolean): Promise<StagedInstance>;
}

/** The identifiable cache on local disk: one copy of an instance, shared by projects. */
export interface StagingArea extends InstanceIntake, AsyncDisposable {
  /** Every whole instance of a study. What was not synced before a crash is checked for wholeness first, and dropped if it is not. */
  list(study: StudyInstanceUid): Promise<readonly StagedInstance[]>;
  /** Makes what is staged of the study survive a power cut. */
  sync(study: StudyInstanceUid): Promise<void>;
  /** What was not synced stays so: its use is over, and whatever a power cut takes of it is fetched again when it is wanted once more. */
  markSpent(study: StudyInstanceUid): Promise<void>;
  removeInstance(instance: StagedInstance): Promise<void>;
  removeStudy(study: StudyInstanceUid): Promise<void>;
  /** Studies on disk with the time of their last change, for retention. */
  studies(): Promise<readonly { readonly study: StudyInstanceUid; readonly changedAtMs: number }[]>;
  /** True while the disk has less free space than the reserve. */
  isBelowReserve(): Promise<boolean>;
}
