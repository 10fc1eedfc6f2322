import type { PublishedFile, Upload } from "../../../acquisition/uploads.ts";
import { GatewayError, toGatewayError } from "../../../errors/gateway-error.ts";
import type { ErrorCode } from "../../../errors/registry.ts";
import type { ScanDevice } from "../../../store/acquisitions.ts";
import { MINIMUM_RATE, watchRate } from "../../../units/minimum-rate.ts";
import type { ScanHubSettings } from "../settings.ts";
import type { ScanHubWorld } from "../world.ts";
import { acquisitionOfReport, type ReportWorld } from "./held-task.ts";
import { type FileMessage, feedback, wholeNumber, wordsOf } from "./messages.ts";

/** The binary frames of one connection: those of an announced file, those of a refused one, and stray ones. */
export interface IncomingFiles {
  /** What was announced before and is not whole is given up. */
  announce(message: FileMessage): Promise<void>;
  /** A promise holds the device back. */
  take(chunk: Uint8Array): Promise<void> | undefined;
  /** The connection ended: what is not whole is taken back. */
  end(code: ErrorCode): Promise<void>;
}

/** What of the face files need. */
type FilesWorld = ReportWorld &
  Pick<ScanHubWorld, "uploads" | "logger"> & { readonly settings: Pick<ScanHubSettings, "idleMs"> };

export interface IncomingFilesOptions {
  readonly world: FilesWorld;
  readonly device: Pick<ScanDevice, "id">;
  readonly say: (message: object) => void;
  /** Work that outlives a frame. */
  readonly follow: (work: Promise<void>) => void;
}

interface Receiving {
  readonly upload: Upload;
  readonly sizeBytes: number;
  readonly movement: Movement;
}

/** So many times the silence that is allowed: the sender of a byte now and then is never silent. */
const RATED_OVER = 5;

export function createIncomingFiles({ world, device, say, follow }: IncomingFilesOptions): IncomingFiles {
  let receiving: Receiving | undefined;
  const refuse: Refusing = { bytes: 0, hasToldOfStray: false };

  const forget = (): Receiving | undefined => {
    const before = receiving;
    before?.movement[Symbol.dispose]();
    receiving = undefined;
    return before;
  };
  const giveUp = async (code: ErrorCode, endsAcquisition: boolean): Promise<void> => {
    await forget()?.upload.abort(code, { endsAcquisition });
  };
  const cut = (upload: Upload, sizeBytes: number): void => {
    if (receiving?.upload !== upload) return;
    refuse.bytes = upload.missingBytes;
    say(feedback(incomplete(sizeBytes - upload.missingBytes, sizeBytes)));
    follow(giveUp("SCAN_TRANSFER_CUT", true));
  };

  return {
    async announce(message) {
      if (receiving !== undefined) {
        const { sizeBytes, upload } = receiving;
        say(feedback(incomplete(sizeBytes - upload.missingBytes, sizeBytes)));
        await giveUp("SCAN_FILE_INCOMPLETE", false);
      }
      refuse.hasToldOfStray = false;
      const sizeBytes = wholeNumber(message.size_bytes) ?? 0;
      refuse.bytes = Math.max(0, sizeBytes);
      try {
        const begun = await begin(world, device, message, sizeBytes);
        if (begun.kind === "have") return say(saved(begun.file));
        refuse.bytes = 0;
        const { upload } = begun;
        const movement = watchMovement(world.settings.idleMs, () => cut(upload, sizeBytes));
        receiving = { upload, sizeBytes, movement };
      } catch (thrown) {
        say(refused(world, thrown));
      }
    },
    take(chunk) {
      if (receiving === undefined) {
        if (isStray(refuse, chunk)) say(feedback("Unexpected binary data: no file was announced."));
        return undefined;
      }
      const { upload, sizeBytes, movement } = receiving;
      movement.heard(chunk.byteLength);
      try {
        const held = upload.write(chunk);
        if (upload.missingBytes > 0) return held && movement.during(held);
        forget();
        // A failure is told when it is finished, which meets it again.
        const taken = held?.catch(() => undefined);
        follow(Promise.resolve(taken).then(() => finish(world, upload).then(say)));
        return taken;
      } catch (thrown) {
        const isTooMuch = thrown instanceof GatewayError && thrown.code === "SCAN_FILE_INCOMPLETE";
        say(feedback(isTooMuch ? incomplete(sizeBytes - upload.missingBytes, sizeBytes) : wordsOf(thrown)));
        refuse.bytes = Math.max(0, upload.missingBytes);
        refuse.hasToldOfStray = true;
        return giveUp(toGatewayError(thrown).code, true);
      }
    },
    end: (code) => giveUp(code, false),
  };
}

/** Whether a file comes. */
interface Movement extends Disposable {
  heard(bytes: number): void;
  /** In which the device is held back. */
  during(held: Promise<void>): Promise<void>;
}

/** @param onStopped nothing came for so long, or hardly anything, while it might have come */
function watchMovement(idleMs: number, onStopped: () => void): Movement {
  let isOver = false;
  let silence = setTimeout(onStopped, idleMs);
  const rate = watchRate({ ...MINIMUM_RATE, overMs: RATED_OVER * idleMs }, onStopped);
  return {
    heard(bytes) {
      silence.refresh();
      rate.heard(bytes);
    },
    async during(held) {
      clearTimeout(silence);
      rate.hold(true);
      await held.finally(() => {
        if (isOver) return;
        silence = setTimeout(onStopped, idleMs);
        rate.hold(false);
      });
    },
    [Symbol.dispose]() {
      isOver = true;
      clearTimeout(silence);
      rate[Symbol.dispose]();
    },
  };
}

/** Bytes that nobody wants. */
interface Refusing {
  /** Of a refused file: the device sends it all the same. */
  bytes: number;
  hasToldOfStray: boolean;
}

/** True when the device is to be told of it: once in a row. */
function isStray(refusing: Refusing, chunk: Uint8Array): boolean {
  const isToBeTold = chunk.byteLength > refusing.bytes && !refusing.hasToldOfStray;
  refusing.bytes = Math.max(0, refusing.bytes - chunk.byteLength);
  refusing.hasToldOfStray ||= isToBeTold;
  return isToBeTold;
}

/** Answers what the device is told. */
async function finish({ logger }: Pick<FilesWorld, "logger">, upload: Upload): Promise<object> {
  try {
    return saved(await upload.finish());
  } catch (thrown) {
    logger.warn("file of a device was not kept", { code: toGatewayError(thrown).code });
    return feedback(wordsOf(thrown));
  }
}

function saved({ resultId, path, transferId, sha256 }: PublishedFile): object {
  const more = { result_id: resultId, transfer_id: transferId, sha256 };
  return feedback(`File ${resultId} saved to datalake: ${path}`, more);
}

function refused({ logger }: Pick<FilesWorld, "logger">, thrown: unknown): object {
  const { code } = toGatewayError(thrown);
  logger.warn("file of a device was refused", { code });
  const isFetch = code === "SCAN_TASK_NOT_FOUND" || code === "SCAN_TASK_WRONG_TYPE";
  return feedback(isFetch ? `Error fetching task: ${wordsOf(thrown)}` : wordsOf(thrown));
}

/** As the original says it. */
function incomplete(receivedBytes: number, sizeBytes: number): string {
  return `Incomplete file received (${receivedBytes}/${sizeBytes} bytes).`;
}

async function begin(
  world: FilesWorld,
  device: Pick<ScanDevice, "id">,
  message: FileMessage,
  sizeBytes: number,
): Promise<Awaited<ReturnType<ScanHubWorld["uploads"]["begin"]>>> {
  const { task_id: taskId, user_access_token: token, filename, sha256, device_parameter: parameter } = message;
  const { content_type: contentType } = message;
  const acquisition = await acquisitionOfReport(world, device, { taskId, token, mayClaim: false });
  return await world.uploads.begin(acquisition, {
    fileName: filename,
    sizeBytes,
    sha256: sha256 === null || sha256 === "" ? undefined : sha256,
    contentType,
    parameter: parameter === undefined || parameter === null ? undefined : JSON.stringify(parameter),
    // The first version announces no parameter, and says no more after its file.
    isLast: parameter === undefined,
  });
}
