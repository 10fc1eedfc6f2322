import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { tags } from "../../../dicom/dictionary/tags.ts";
import { readPart10File } from "../../../dicom/reader.ts";
import { tagOf } from "../../../dicom/tag.ts";
import { isFieldUid } from "../../../dicom/uid.ts";
import { uidOf } from "../../../dicom/values.ts";
import { encodeFileMeta } from "../../../dicom/writer.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { IncomingInstance, InstanceSink, StoreHandler } from "../../../network/dimse/service-types.ts";
import type { Clock } from "../../../units/clock.ts";
import { isSystemError } from "../../write-whole-file.ts";

/** C-STORE answers. PS3.4 B.2.3, PS3.7 C. */
const SUCCESS = 0x0000;
const PROCESSING_FAILURE = 0x0110;
const INVALID_OBJECT_INSTANCE = 0x0117;
const OUT_OF_RESOURCES = 0xa700;
const DATA_SET_DOES_NOT_MATCH = 0xa900;
const CANNOT_UNDERSTAND = 0xc000;

/** What the operating system says when the disk is full. */
const FULL_DISK: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

const TEMPORARY = /^\.incoming-[0-9a-f-]{36}\.part$/;
/** A temporary file that nobody wrote to for this long was left behind. */
const STALE_MS = 3_600_000;
/** Small PDUs are put together to one write of this size. */
const BLOCK_BYTES = 256 * 1024;
/** Study and series instance UID stand before it. PS3.6 6. */
const BEHIND_UIDS = tagOf(0x0020000f);

/** A folder that C-STORE fills: DIR/<SOP Instance UID>.dcm, each file whole or absent, on disk before it is acknowledged. */
export interface ReceiveFolder {
  readonly path: string;
  readonly store: StoreHandler;
  counts(): { readonly stored: number; readonly refused: number };
}

/** Makes the folder when it is missing, and sweeps what a killed process left. @throws GatewayError FOLDER_NOT_WRITABLE */
export async function openReceiveFolder(path: string, clock: Clock): Promise<ReceiveFolder> {
  try {
    await mkdir(path, { recursive: true });
    await sweep(path, clock.nowMs());
  } catch (thrown) {
    throw isSystemError(thrown) ? new GatewayError("FOLDER_NOT_WRITABLE", { reason: thrown.code }, thrown) : thrown;
  }
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
    async store(instance) {
      if (!isFieldUid(instance.sopInstanceUid) || !isFieldUid(instance.sopClassUid)) {
        return { refuse: settle(INVALID_OBJECT_INSTANCE) };
      }
      try {
        const sink = await beginFile(path, instance);
        return { ...sink, close: async () => settle(await sink.close()) };
      } catch (thrown) {
        return { refuse: settle(statusOf(thrown)) };
      }
    },
  };
}

async function sweep(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!TEMPORARY.test(name)) continue;
    const { mtimeMs } = await stat(join(folder, name));
    if (nowMs - mtimeMs > STALE_MS) await rm(join(folder, name), { force: true });
  }
}

async function beginFile(folder: string, instance: IncomingInstance): Promise<InstanceSink> {
  const temporary = join(folder, `.incoming-${randomUUID()}.part`);
  const file = await open(temporary, "wx");
  const writer = createBlockWriter(file);
  const discard = async (): Promise<void> => {
    await file.close();
    await rm(temporary, { force: true });
  };
  const { sopClassUid, sopInstanceUid, transferSyntaxUid, callingAeTitle: sourceAeTitle } = instance;
  try {
    await writer.write(encodeFileMeta({ sopClassUid, sopInstanceUid, transferSyntaxUid, sourceAeTitle }));
  } catch (thrown) {
    await discard();
    throw thrown;
  }
  return {
    write: (chunk) => writer.write(chunk),
    abort: discard,
    async close() {
      let status: number;
      try {
        await writer.flush();
        await file.sync();
        status = await checkUids(temporary, instance);
        if (status === SUCCESS) {
          await rename(temporary, join(folder, `${sopInstanceUid}.dcm`));
          await syncFolder(folder);
        }
      } catch (thrown) {
        status = statusOf(thrown);
      }
      await discard();
      return status;
    },
  };
}

function createBlockWriter(file: FileHandle): {
  write(chunk: Uint8Array): void | Promise<void>;
  flush(): Promise<void>;
} {
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let used = 0;
  const flush = async (): Promise<void> => {
    const length = used;
    used = 0;
    await writeAll(file, block.subarray(0, length));
  };
  return {
    flush,
    write(chunk) {
      if (used + chunk.length > BLOCK_BYTES) {
        return flush().then(() => (chunk.length > BLOCK_BYTES ? writeAll(file, chunk) : keep(chunk)));
      }
      keep(chunk);
    },
  };

  function keep(chunk: Uint8Array): void {
    block.set(chunk, used);
    used += chunk.length;
  }
}

/** One write may take fewer bytes than it was given. */
async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done);
    done += bytesWritten;
  }
}

/** The data set must be the object that the command announced, and what UIDs it has must be UIDs. */
async function checkUids(path: string, { sopClassUid, sopInstanceUid }: IncomingInstance): Promise<number> {
  let status: number = SUCCESS;
  try {
    await using file = await readPart10File(path, { stopBefore: BEHIND_UIDS });
    const { dataSet } = file;
    if (uidOf(dataSet, tags.SOPInstanceUID) !== sopInstanceUid) status = DATA_SET_DOES_NOT_MATCH;
    if (uidOf(dataSet, tags.SOPClassUID) !== sopClassUid) status = DATA_SET_DOES_NOT_MATCH;
    // Objects without a patient, such as colour palettes, have no study.
    for (const tag of [tags.StudyInstanceUID, tags.SeriesInstanceUID]) {
      if (!isFieldUid(uidOf(dataSet, tag) ?? "0")) status = CANNOT_UNDERSTAND;
    }
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    status = CANNOT_UNDERSTAND;
  }
  return status;
}

/** The new name survives a power cut only when the folder is synced. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, "r");
  await handle.sync();
}

function statusOf(thrown: unknown): number {
  return isSystemError(thrown) && FULL_DISK.has(thrown.code) ? OUT_OF_RESOURCES : PROCESSING_FAILURE;
}
