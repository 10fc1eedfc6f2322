import type { SopInstanceUid, StudyInstanceUid } from "../dicom/uid.ts";
import type { AttachedFile } from "../staging/attached-file.ts";
import type { DeidentifiedFile, Pseudonym } from "../staging/deidentified-file.ts";
import type { StudyReading } from "./reading/study-reading.ts";
import type { StudyRemoval } from "./removal/removal.ts";

/** One study on its way to one destination. Everything in it is de-identified. */
export interface StudyDelivery {
  readonly project: string;
  readonly pseudonym: Pseudonym;
  readonly studyInstanceUid: StudyInstanceUid;
  readonly files: readonly DeidentifiedFile[];
  /** What a processing hook made beside the instances; left out: nothing. */
  readonly attached?: readonly AttachedFile[];
  /** The de-identification report (specs: deidentification 5.4), without identifiers; stored beside the study where the destination can. */
  readonly report: Readonly<Record<string, unknown>>;
  /** How its files are read where other destinations get them at the same time; absent: each file by itself. */
  readonly reading?: StudyReading;
  /** Nobody writes to its files any more, and they are removed once they are delivered: one may be given another name instead of being copied. @default false */
  readonly isHandedOver?: boolean;
}

/** An instance that a destination does not take as it is, and gets uncompressed: its pixel values are the same, its bytes are not. */
export interface TranscodedInstance {
  readonly sopInstanceUid: SopInstanceUid;
  /** That it is sent in. */
  readonly transferSyntaxUid: string;
  /** Of the data set as it is sent, without the file's head. */
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Told before any of them is sent, so that the account is right whatever happens then. */
export type NoteTranscoding = (instances: readonly TranscodedInstance[]) => Promise<void>;

/** The proof by read-back that a destination holds what was sent. */
export interface Receipt {
  readonly destination: string;
  readonly instances: number;
  /** Those that were sent now, and in another transfer syntax than the delivery has them in; absent: none. */
  readonly transcoded?: readonly TranscodedInstance[];
  /** Files beside the instances, where there are any. */
  readonly attached?: number;
  /**
   * `sha256`: contents were read back and compared; `digest`: the destination lists a file of the same size and sum for each, or its data set
   * was read back and is the same; `uids`: the destination lists every instance.
   */
  readonly proof: "sha256" | "digest" | "uids";
  readonly confirmedAtMs: number;
}

/** Where studies are delivered. `held` before `send` makes sure that nothing is delivered twice, also after a crash. */
export interface Destination extends AsyncDisposable {
  readonly name: string;
  readonly kind: "folder" | "dimse" | "dicomweb" | "orthanc" | "xnat" | "ftps" | "sftp" | "s3";
  readonly proof: Receipt["proof"];
  /** Which of the delivery's instances the destination holds now, by read-back. */
  held(delivery: StudyDelivery, signal: AbortSignal): Promise<ReadonlySet<SopInstanceUid>>;
  /** Sends the given instances of the delivery. @throws GatewayError with the class that tells what may be retried. */
  send(
    delivery: StudyDelivery,
    files: readonly DeidentifiedFile[],
    signal: AbortSignal,
    note?: NoteTranscoding,
  ): Promise<void>;
  /** Absent: it takes instances alone. */
  readonly attachments?: AttachmentTaker;
  /** Stores the report and the receipt where the destination can; idempotent. */
  conclude(delivery: StudyDelivery, receipt: Receipt, signal: AbortSignal): Promise<void>;
  /** Absent: its protocol has no way to take back what was delivered, and a person must. */
  readonly removal?: StudyRemoval;
}

/** The part of a destination that takes files beside the instances of a study, below its folder. */
export interface AttachmentTaker {
  /** Names of those that it holds now, by read-back. */
  held(delivery: StudyDelivery, signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** Sends the given ones of the delivery. @throws GatewayError as `Destination.send` */
  send(delivery: StudyDelivery, files: readonly AttachedFile[], signal: AbortSignal): Promise<void>;
}
