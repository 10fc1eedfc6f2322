import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import type { Acquisition, ScanResultContent, Transfer } from "../store/acquisitions.ts";
import { PARAMETER_FILE } from "./file-names.ts";
import type { Ledger } from "./ledger.ts";
import { isAsNamed, typeOf } from "./signatures.ts";

/** A result that could not be set is tried again before a person has to look. */
const TRIES = 4;
const FIRST_DELAY_MS = 500;

/**
 * From a verified file in staging to a result that says where it is: commit, then set result. May be repeated from any point.
 * @throws GatewayError; after the commit the transfer is then `stuck`, and its file stays
 */
export async function publish(ledger: Ledger, acquisition: Acquisition, transfer: Transfer): Promise<Transfer> {
  const { store, exams, lake, clock, logger } = ledger.world;
  const { id, resultId, sha256, fileName } = transfer;
  if (resultId === undefined || sha256 === undefined) throw new GatewayError("INTERNAL", { state: transfer.state });
  const { taskId, workflowId, deviceId } = acquisition;
  const directory = lake.folderOf({ workflowId, taskId, resultId });
  if (transfer.state === "verified") {
    const { parameter } = transfer;
    if (parameter !== undefined) await lake.writeParameter(directory, parameterText(deviceId, parameter));
    await lake.commit(id, directory, fileName, sha256);
    if (!(await store.changeTransfer(id, { state: "committed", directory }, clock.nowMs())))
      throw new GatewayError("SCAN_NOT_CLAIMED");
  }
  const content = contentOf(acquisition, transfer, directory);
  for (let tries = 1; ; tries += 1) {
    try {
      await exams.setResult(resultId, content);
      break;
    } catch (thrown) {
      const { code, class: errorClass } = toGatewayError(thrown);
      if (tries < TRIES && errorClass !== "permanent") {
        await clock.sleep(FIRST_DELAY_MS * 2 ** (tries - 1));
        continue;
      }
      await store.changeTransfer(id, { state: "stuck", code }, clock.nowMs());
      logger.error("result could not be set; its file is kept", { transfer: id, code });
      throw thrown;
    }
  }
  await store.changeTransfer(id, { state: "published" }, clock.nowMs());
  return { ...transfer, state: "published", directory };
}

/** As ScanHub's own services write it. */
function parameterText(deviceId: string, parameter: string): string {
  const value: unknown = JSON.parse(parameter);
  return JSON.stringify({ device_id: deviceId, parameter: value }, undefined, 4);
}

function contentOf(acquisition: Acquisition, transfer: Transfer, directory: string): ScanResultContent {
  const { id, fileName, sha256, sizeBytes, signature = "none", parameter } = transfer;
  const gateway = {
    transfer_id: id,
    attempt_id: acquisition.id,
    sha256,
    size_bytes: sizeBytes,
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
