import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { DataSet } from "../../../dicom/data-set.ts";
import { tags } from "../../../dicom/dictionary/tags.ts";
import { parseDataSet, readPart10File } from "../../../dicom/reader.ts";
import { tagOf } from "../../../dicom/tag.ts";
import { isFieldUid } from "../../../dicom/uid.ts";
import { uidOf } from "../../../dicom/values.ts";
import { encodeFileMeta } from "../../../dicom/writer.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { IncomingInstance, InstanceSink, StoreHandler } from "../../../network/dimse/service-types.ts";
import { statusIn } from "../../../network/dimse/status.ts";
import type { Clock } from "../../../units/clock.ts";
import { syncFolder } from "../../../units/durable-files.ts";
import { makeFolders } from "../../../units/make-folders.ts";
import { isSystemError } from "../../write-whole-file.ts";
import { type SyncPolicy, sharedSync, type UnsyncedFiles, unsyncedFiles } from "./receive-sync.ts";
import { createReceivedFile, type ReceivedFile, TEMPORARY } from "./received-file.ts";

/** C-STORE answers. PS3.4 B.2.3, PS3.7 C. */
const SUCCESS = 0x0000;
const PROCESSING_FAILURE = 0x0110;
const INVALID_OBJECT_INSTANCE = 0x0117;
const OUT_OF_RESOURCES = 0xa700;
const DATA_SET_DOES_NOT_MATCH = 0xa900;
const CANNOT_UNDERSTAND = 0xc000;

/** What the operating system says when the disk is full. */
const FULL_DISK: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/** A temporary file that nobody wrote to for this long was left behind. */
const STALE_MS = 3_600_000;
/** Study and series instance UID stand before it. PS3.6 6. */
const BEHIND_UIDS = tagOf(0x0020000f);

/** A folder that C-STORE fills: DIR/<SOP Instance UID>.dcm, each file whole or absent. */
export interface ReceiveFolder {
  readonly path: string;
  readonly store: StoreHandler;
  counts(): { readonly stored: number; readonly refused: number };
  /** Everything of associations that have ended is on disk. @throws GatewayError FOLDER_NOT_WRITABLE */
  settled(): Promise<void>;
}

interface Folder {
  readonly path: string;
  readonly policy: SyncPolicy;
  readonly unsynced: UnsyncedFiles;
  readonly syncNames: () => Promise<void>;
}

/**
 * Makes the folder when it is missing, and sweeps what a killed process left.
 * @param policy `instance`: a file is on disk before it is acknowledged
 * @throws GatewayError FOLDER_NOT_WRITABLE
 */
export async function openReceiveFolder(
  path: string,
  clock: Clock,
  policy: SyncPolicy = "instance",
): Promise<ReceiveFolder> {
  try {
    await makeFolders(path);
    await sweep(path, clock.nowMs());
  } catch (thrown) {
    throw notWritable(thrown);
  }
  const folder: Folder = {
    path,
    policy,
    unsynced: unsyncedFiles(path),
    syncNames: sharedSync(() => syncFolder(path)),
  };
  let stored = 0;
  let refused = 0;
  const settle = (status: number): number => {
    if (status === SUCCESS) stored += 1;
    else refused += 1;
    return status;
  };
  return {
    path,
    counts: () => ({ stored, refused }),
    settled: async () => {
      await folder.unsynced.settled().catch((thrown: unknown) => {
        throw notWritable(thrown);
      });
    },
    async store(instance, association) {
      if (!isFieldUid(instance.sopInstanceUid) || !isFieldUid(instance.sopClassUid)) {
        return { refuse: settle(INVALID_OBJECT_INSTANCE) };
      }
      try {
        const sink = beginFile(folder, instance, association);
        return {
          ...sink,
          close: async () => settle(statusIn(await sink.close())),
          async abort(violation, named) {
            if (violation !== undefined) refused += 1;
            await sink.abort(violation, named);
          },
        };
      } catch (thrown) {
        return { refuse: settle(statusOf(thrown)) };
      }
    },
  };
}

function notWritable(thrown: unknown): unknown {
  return isSystemError(thrown) ? new GatewayError("FOLDER_NOT_WRITABLE", { reason: thrown.code }, thrown) : thrown;
}

async function sweep(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!TEMPORARY.test(name)) continue;
    const { mtimeMs } = await stat(join(folder, name));
    if (nowMs - mtimeMs > STALE_MS) await rm(join(folder, name), { force: true });
  }
}

function beginFile(folder: Folder, instance: IncomingInstance, association: AbortSignal): InstanceSink {
  const { sopClassUid, sopInstanceUid, transferSyntaxUid, callingAeTitle: sourceAeTitle } = instance;
  const meta = encodeFileMeta({ sopClassUid, sopInstanceUid, transferSyntaxUid, sourceAeTitle });
  let isSeen = false;
  const file = createReceivedFile(folder.path, (head) => {
    isSeen = isAsAnnounced(head.subarray(meta.length), instance);
  });
  file.write(meta);
  return {
    write: (chunk) => file.write(chunk),
    abort: async () => file.discard(),
    async close() {
      let status: number;
      try {
        await file.finish(folder.policy === "instance");
        status = isSeen ? SUCCESS : await statusOfFile(file.temporary, instance);
        if (status === SUCCESS) await keep(folder, file, sopInstanceUid, association);
      } catch (thrown) {
        status = statusOf(thrown);
      }
      file.discard();
      return status;
    },
  };
}

async function keep(
  { path, policy, unsynced, syncNames }: Folder,
  file: ReceivedFile,
  sopInstanceUid: string,
  association: AbortSignal,
): Promise<void> {
  const final = join(path, `${sopInstanceUid}.dcm`);
  file.place(final);
  // The new name survives a power cut only when the folder is synced.
  if (policy === "instance") await syncNames();
  else await unsynced.add(final, association);
}

/** True when the beginning of the data set shows the right UIDs. Whatever else it is, the whole file decides. */
function isAsAnnounced(head: Uint8Array, instance: IncomingInstance): boolean {
  try {
    const dataSet = parseDataSet(head, instance.transferSyntaxUid, { stopBefore: BEHIND_UIDS });
    return statusOfUids(dataSet, instance) === SUCCESS;
  } catch {
    return false;
  }
}

async function statusOfFile(path: string, instance: IncomingInstance): Promise<number> {
  try {
    await using file = await readPart10File(path, { stopBefore: BEHIND_UIDS });
    return statusOfUids(file.dataSet, instance);
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    return CANNOT_UNDERSTAND;
  }
}

/** The data set must be the object that the command announced, and what UIDs it has must be UIDs. */
function statusOfUids(dataSet: DataSet, { sopClassUid, sopInstanceUid }: IncomingInstance): number {
  // Objects without a patient, such as colour palettes, have no study.
  for (const tag of [tags.StudyInstanceUID, tags.SeriesInstanceUID]) {
    if (!isFieldUid(uidOf(dataSet, tag) ?? "0")) return CANNOT_UNDERSTAND;
  }
  const isAnnounced =
    uidOf(dataSet, tags.SOPInstanceUID) === sopInstanceUid && uidOf(dataSet, tags.SOPClassUID) === sopClassUid;
  return isAnnounced ? SUCCESS : DATA_SET_DOES_NOT_MATCH;
}

function statusOf(thrown: unknown): number {
  return isSystemError(thrown) && FULL_DISK.has(thrown.code) ? OUT_OF_RESOURCES : PROCESSING_FAILURE;
}
