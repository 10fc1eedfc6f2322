import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import { TRANSFER_STATES } from "../store/acquisition-states.ts";
import type { Acquisition, Transfer } from "../store/acquisitions.ts";
import { checkFileName } from "./file-names.ts";
import type { GrowingFile } from "./lake/writer.ts";
import type { Ledger } from "./ledger.ts";
import { publish } from "./publish.ts";
import { signatureOf } from "./signatures.ts";
import { takeUp } from "./take-up.ts";

/** What a device says of a file before its bytes. */
export interface FileAnnouncement {
  readonly fileName: string;
  readonly sizeBytes: number;
  /** Hexadecimal digits of either case. */
  readonly sha256: string | undefined;
  /** Media type, as the device gives it. */
  readonly contentType?: string | undefined;
  /** JSON to lie beside the file; undefined: what the device had when it was started. */
  readonly parameter: string | undefined;
  /** The device announces one file and says no more: with it the acquisition is done. */
  readonly isLast: boolean;
}

/** A file that is in the lake, and whose result says so. */
export interface PublishedFile {
  readonly transferId: string;
  readonly resultId: string;
  readonly path: string;
  readonly sha256: string;
}

/** A file whose bytes are awaited. */
export interface Upload {
  readonly transferId: string;
  readonly missingBytes: number;
  /** A promise holds the device back. @throws GatewayError SCAN_FILE_INCOMPLETE when there are too many, SCAN_LAKE_… */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /** Verifies, commits and publishes; what is not whole is taken back. @throws GatewayError; SCAN_FILE_WAITS: it is whole, and published later */
  finish(): Promise<PublishedFile>;
  /** Takes everything back, once. The acquisition goes on when the device may come back. */
  abort(code: ErrorCode, options?: { readonly endsAcquisition: boolean }): Promise<void>;
}

export type BegunUpload =
  | { readonly kind: "receive"; readonly upload: Upload }
  /** The same was sent before: its bytes are to be thrown away. */
  | { readonly kind: "have"; readonly file: PublishedFile };

export interface Uploads {
  /** @throws GatewayError SCAN_FILE_NAME_UNSAFE, SCAN_FILE_TOO_LARGE, SCAN_LAKE_FULL, SCAN_NOT_CLAIMED, SCAN_FILE_WAITS when it is here already, … */
  begin(acquisition: Acquisition, announcement: FileAnnouncement): Promise<BegunUpload>;
  /** What is under way in this process: the rest is left from another one. */
  isLive(transferId: string): boolean;
  settled(): Promise<void>;
}

/** A result that cannot be set is tried again so often before the device gets its answer. */
const TRIES = 4;
const SHA256 = /^[0-9a-f]{64}$/;

export function createUploads(ledger: Ledger): Uploads {
  const live = new Map<string, Upload>();
  const opening = new Set<string>();
  const { store, clock } = ledger.world;
  const ends = new Set<Promise<unknown>>();
  return {
    isLive: (transferId) => live.has(transferId) || opening.has(transferId),
    async settled() {
      while (ends.size > 0) await Promise.allSettled(ends);
    },
    async begin(acquisition, announcement) {
      await check(ledger, acquisition, announcement);
      const id = randomUUID();
      opening.add(id);
      try {
        return await begin(acquisition, announcement, id);
      } finally {
        opening.delete(id);
      }
    },
  };

  async function begin(acquisition: Acquisition, announcement: FileAnnouncement, id: string): Promise<BegunUpload> {
    const { fileName, sizeBytes, sha256, contentType, parameter } = announcement;
    for (;;) {
      const added = await store.addTransfer(
        {
          ...{ id, fileName, sizeBytes, contentType },
          acquisitionId: acquisition.id,
          declaredSha256: sha256?.toLowerCase(),
          parameter: parameter ?? acquisition.parameter,
          isLast: announcement.isLast,
        },
        clock.nowMs(),
      );
      if (added === undefined) throw new GatewayError("SCAN_NOT_CLAIMED");
      const { transfer } = added;
      if (added.isNew) return { kind: "receive", upload: await open(acquisition, announcement, transfer) };
      if (transfer.state === "published") return { kind: "have", file: publishedFile(transfer) };
      // Of a connection that is gone, or of a process: the new one takes its place, unless all its bytes are here.
      const before = live.get(transfer.id);
      if (before === undefined) await takeUp(ledger, transfer.id);
      else await before.abort("SCAN_TRANSFER_CUT");
      if ((await store.transfer(transfer.id))?.state === transfer.state)
        throw new GatewayError("SCAN_FILE_INCOMPLETE", { state: transfer.state });
    }
  }

  async function open(acquisition: Acquisition, announcement: FileAnnouncement, transfer: Transfer): Promise<Upload> {
    const { lake, exams } = ledger.world;
    try {
      const resultId = await exams.createBlankResult(acquisition.taskId, transfer.id);
      const isKept = await store.changeTransfer(transfer.id, { state: "receiving", resultId }, clock.nowMs());
      if (!isKept) throw new GatewayError("SCAN_NOT_CLAIMED");
      const file = await lake.begin(transfer.id);
      const upload = createUpload({ ledger, acquisition, announcement, transfer: { ...transfer, resultId }, file });
      live.set(transfer.id, upload);
      void upload.ended.then(() => live.delete(transfer.id));
      ends.add(upload.ended);
      void upload.ended.then(() => ends.delete(upload.ended));
      return upload;
    } catch (thrown) {
      const { code } = toGatewayError(thrown);
      await ledger.abortTransfer(transfer, code);
      throw thrown;
    }
  }
}

/** Before anything is made. */
async function check(ledger: Ledger, acquisition: Acquisition, announcement: FileAnnouncement): Promise<void> {
  const { store, lake, policy } = ledger.world;
  const { fileName, sizeBytes, sha256 } = announcement;
  checkFileName(fileName);
  if (sha256 !== undefined && !SHA256.test(sha256.toLowerCase())) throw new GatewayError("SCAN_FILE_MISMATCH");
  const isSize = Number.isSafeInteger(sizeBytes) && sizeBytes > 0;
  if (!isSize || sizeBytes > policy.maximumFileBytes) throw new GatewayError("SCAN_FILE_TOO_LARGE");
  const others = await store.transfersOf(acquisition.id);
  const kept = others.filter(({ state }) => state !== "aborted" && state !== "aborting");
  const totalBytes = kept.reduce((sum, each) => sum + each.sizeBytes, sizeBytes);
  if (totalBytes > policy.maximumAcquisitionBytes) throw new GatewayError("SCAN_FILE_TOO_LARGE", { what: "all files" });
  const { maximumDeviceBytes } = policy;
  if (
    maximumDeviceBytes !== undefined &&
    (await store.scanBytesOf(acquisition.deviceId)) + sizeBytes > maximumDeviceBytes
  )
    throw new GatewayError("SCAN_DEVICE_QUOTA");
  const freeBytes = await lake.freeBytes();
  if (freeBytes - sizeBytes < policy.reserveBytes) throw new GatewayError("SCAN_LAKE_FULL");
}

interface UploadParts {
  readonly ledger: Ledger;
  readonly acquisition: Acquisition;
  readonly announcement: FileAnnouncement;
  readonly transfer: Transfer;
  readonly file: GrowingFile;
}

function createUpload(parts: UploadParts): Upload & { readonly ended: Promise<void> } {
  const { ledger, acquisition, announcement, transfer, file } = parts;
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let missingBytes = announcement.sizeBytes;
  let aborting: Promise<void> | undefined;
  let isFinishing = false;

  const abort = (code: ErrorCode, { endsAcquisition = false } = {}): Promise<void> => {
    aborting ??= (async () => {
      await file.discard();
      await ledger.abortTransfer(transfer, code);
      const others = await ledger.world.store.transfersOf(acquisition.id);
      const isAnyLeft = others.some(({ state }) => state === "published" || !TRANSFER_STATES[state].isFinal);
      if (endsAcquisition && !isAnyLeft) await ledger.abort(acquisition.id, code);
      else if (endsAcquisition) await ledger.settle(acquisition.id);
      else await ledger.awaitDevice(acquisition);
    })().finally(end);
    return aborting;
  };

  return {
    transferId: transfer.id,
    ended,
    get missingBytes() {
      return missingBytes;
    },
    write(chunk) {
      missingBytes -= chunk.byteLength;
      if (missingBytes < 0) throw new GatewayError("SCAN_FILE_INCOMPLETE", { tooMany: -missingBytes });
      return file.write(chunk);
    },
    async finish() {
      isFinishing = true;
      try {
        const published = await complete(parts);
        end();
        return published;
      } catch (thrown) {
        const { code } = toGatewayError(thrown);
        if (code === "SCAN_FILE_WAITS") end();
        else await abort(code, { endsAcquisition: true });
        throw thrown;
      }
    },
    // What is being verified is whole: it goes its way without the device.
    abort: (code, options) => (isFinishing && aborting === undefined ? ended : abort(code, options)),
  };
}

async function complete(parts: UploadParts): Promise<PublishedFile> {
  const { ledger, acquisition, announcement, file } = parts;
  const { sizeBytes, sha256, head } = await file.finish();
  if (sizeBytes !== announcement.sizeBytes) throw new GatewayError("SCAN_FILE_INCOMPLETE");
  const declared = announcement.sha256?.toLowerCase();
  if (declared !== undefined && declared !== sha256) throw new GatewayError("SCAN_FILE_MISMATCH");
  const published = await keep(parts, { sha256, signature: signatureOf(head) }).catch((thrown: unknown) => {
    // All bytes are here: the store alone is away, and what was sent is found again.
    const isAway = toGatewayError(thrown).class === "transient" && declared !== undefined;
    throw isAway ? new GatewayError("SCAN_FILE_WAITS", {}, thrown) : thrown;
  });
  await ledger.settle(acquisition.id);
  return published;
}

/** Of a whole file. */
async function keep(
  { ledger, acquisition, transfer }: UploadParts,
  facts: Pick<Transfer, "sha256" | "signature">,
): Promise<PublishedFile> {
  const { store, clock } = ledger.world;
  const twin = await publishedTwin(ledger, acquisition, { ...transfer, ...facts });
  if (twin !== undefined) {
    await ledger.abortTransfer(transfer, "SCAN_FILE_REPEATED");
    return twin;
  }
  const verified = { state: "verified", ...facts } as const;
  if (!(await store.changeTransfer(transfer.id, verified, clock.nowMs()))) throw new GatewayError("SCAN_NOT_CLAIMED");
  return publishedFile(await publish(ledger, acquisition, { ...transfer, ...verified }, TRIES));
}

/** The same file, sent before without a declared sum to know it by. */
async function publishedTwin(
  ledger: Ledger,
  acquisition: Acquisition,
  { id, fileName, sizeBytes, sha256 }: Transfer,
): Promise<PublishedFile | undefined> {
  const others = await ledger.world.store.transfersOf(acquisition.id);
  const twin = others.find(
    (each) =>
      each.id !== id &&
      each.state === "published" &&
      each.fileName === fileName &&
      each.sizeBytes === sizeBytes &&
      each.sha256 === sha256,
  );
  return twin && publishedFile(twin);
}

function publishedFile({ id, resultId = "", directory = "", fileName, sha256 = "" }: Transfer): PublishedFile {
  return { transferId: id, resultId, path: join(directory, fileName), sha256 };
}
