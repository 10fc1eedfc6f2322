import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { Acquisition, ScanResultContent, Transfer } from "../store/acquisitions.ts";
import { PARAMETER_FILE } from "./file-names.ts";
import type { Ledger } from "./ledger.ts";
import { contentTypeOf, isAsNamed, typeOf } from "./signatures.ts";

const FIRST_DELAY_MS = 500;

/** What no later try mends: there is nothing left that could be published, or nowhere to say it. */
const HOPELESS: ReadonlySet<ErrorCode> = new Set([
  "SCAN_RESULT_NOT_FOUND",
  "SCAN_RESULT_DAMAGED",
  "SCAN_FILE_NAME_UNSAFE",
  "SCANHUB_ID_INVALID",
]);

/**
 * From a verified file in staging to a result that says where it is: commit, then set result. May be repeated from any point.
 * @param tries within seconds, while the device waits for its answer
 * @throws GatewayError SCAN_FILE_WAITS: it stays as it is, to be published later; SCAN_NOT_CLAIMED: it was taken back meanwhile; another one:
 *   it is `stuck`, and its file stays
 */
export async function publish(
  ledger: Ledger,
  acquisition: Acquisition,
  transfer: Transfer,
  tries = 1,
): Promise<Transfer> {
  const { clock, policy } = ledger.world;
  let now = transfer;
  for (let tried = 1; ; tried += 1) {
    try {
      now = await commit(ledger, acquisition, now);
      now = await announce(ledger, acquisition, now);
      ledger.waits.forget(now.id);
      return now;
    } catch (thrown) {
      const { code, class: errorClass } = toGatewayError(thrown);
      if (code === "SCAN_NOT_CLAIMED") throw thrown;
      if (HOPELESS.has(code) || transfer.createdAtMs + policy.publishForMs <= clock.nowMs()) {
        await giveUp(ledger, transfer, code);
        throw thrown;
      }
      if (tried >= tries || errorClass === "permanent") throw await waits(ledger, transfer, thrown);
      await clock.sleep(FIRST_DELAY_MS * 2 ** (tried - 1));
    }
  }
}

async function commit(ledger: Ledger, acquisition: Acquisition, transfer: Transfer): Promise<Transfer> {
  const { store, lake, clock } = ledger.world;
  const { id, state, resultId, sha256, fileName, parameter } = transfer;
  if (resultId === undefined || sha256 === undefined) throw new GatewayError("INTERNAL", { state });
  const { taskId, workflowId, deviceId } = acquisition;
  const directory = lake.folderOf({ workflowId, taskId, resultId });
  if (state !== "verified") return { ...transfer, directory };
  if (parameter !== undefined) await lake.writeParameter(directory, parameterText(deviceId, parameter));
  await lake.commit(id, directory, fileName, sha256);
  if (!(await store.changeTransfer(id, { state: "committed", directory }, clock.nowMs())))
    throw new GatewayError("SCAN_NOT_CLAIMED");
  return { ...transfer, state: "committed", directory };
}

async function announce(ledger: Ledger, acquisition: Acquisition, transfer: Transfer): Promise<Transfer> {
  const { store, exams, clock } = ledger.world;
  const { id, resultId = "", directory = "" } = transfer;
  await exams.setResult(resultId, contentOf(acquisition, transfer, directory));
  await store.changeTransfer(id, { state: "published" }, clock.nowMs());
  return { ...transfer, state: "published" };
}

async function giveUp({ world, waits }: Ledger, { id }: Transfer, code: ErrorCode): Promise<void> {
  const { store, clock, logger } = world;
  waits.forget(id);
  await store.changeTransfer(id, { state: "stuck", code }, clock.nowMs()).catch(() => false);
  logger.error("result could not be set; its file is kept", { transfer: id, code });
}

/** Answers what is to be thrown. What it waits for is written down for people, where the store can be written at all. */
async function waits({ world, waits }: Ledger, transfer: Transfer, cause: unknown): Promise<GatewayError> {
  const { store, clock, logger } = world;
  const { id, acquisitionId } = transfer;
  const { code } = toGatewayError(cause);
  waits.failed(id);
  logger.warn("a whole file waits to be published", { transfer: id, code });
  try {
    if (transfer.code === undefined) {
      const detail = JSON.stringify({ transfer: id, code });
      await store.addAcquisitionEvent(acquisitionId, { event: "file-waits", detail }, clock.nowMs());
    }
    if (transfer.code !== code) await store.changeTransfer(id, { code }, clock.nowMs());
  } catch (thrown) {
    logger.debug("why a file waits could not be written down", { code: toGatewayError(thrown).code });
  }
  return new GatewayError("SCAN_FILE_WAITS", {}, cause);
}

/** As ScanHub's own services write it. */
function parameterText(deviceId: string, parameter: string): string {
  const value: unknown = JSON.parse(parameter);
  return JSON.stringify({ device_id: deviceId, parameter: value }, undefined, 4);
}

function contentOf(acquisition: Acquisition, transfer: Transfer, directory: string): ScanResultContent {
  const { fileName, signature = "none", parameter } = transfer;
  const gateway = {
    ...gatewayFacts(acquisition, transfer),
    signature,
    ...(isAsNamed(fileName, signature) ? {} : { is_as_named: false }),
  };
  return {
    type: typeOf(fileName),
    directory,
    files: [fileName, ...(parameter === undefined ? [] : [PARAMETER_FILE])],
    meta: JSON.stringify({ gateway }),
  };
}

/** What stands in `meta.gateway` of every result of ours. */
export function gatewayFacts(acquisition: Acquisition, transfer: Transfer): object {
  const { id, sha256, sizeBytes } = transfer;
  return {
    transfer_id: id,
    attempt_id: acquisition.id,
    sha256,
    size_bytes: sizeBytes,
    content_type: contentTypeOf(transfer),
  };
}
