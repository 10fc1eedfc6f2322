import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import type { Acquisition, ScanResultContent, Transfer } from "../store/acquisitions.ts";
import type { Ledger } from "./ledger.ts";
import { gatewayFacts } from "./publish.ts";
import { typeOf } from "./signatures.ts";

/** Removed in one go; what is more goes next. */
const PAGE = 100;

/**
 * Takes files out of the lake that were published longer ago than the policy keeps them: the result says so first, so that nobody is sent to
 * a file that is gone. What fails is tried again at the next call. Answers how many are gone.
 */
export async function removeOld(ledger: Ledger): Promise<number> {
  const { store, clock, logger, policy } = ledger.world;
  if (policy.retentionMs === undefined) return 0;
  let removed = 0;
  for (const transfer of await store.publishedTransfersBefore(clock.nowMs() - policy.retentionMs, PAGE)) {
    const acquisition = await store.acquisition(transfer.acquisitionId);
    if (acquisition === undefined) continue;
    try {
      await remove(ledger, acquisition, transfer);
      removed += 1;
    } catch (thrown) {
      const { code } = toGatewayError(thrown);
      logger.warn("a file past its time could not be removed", { transfer: transfer.id, code });
    }
  }
  return removed;
}

async function remove(ledger: Ledger, acquisition: Acquisition, transfer: Transfer): Promise<void> {
  const { store, exams, lake, clock } = ledger.world;
  const { id, resultId, directory, fileName, sizeBytes } = transfer;
  if (resultId !== undefined && directory !== undefined) {
    await exams.setResult(resultId, emptied(acquisition, transfer, directory)).catch((thrown: unknown) => {
      // Somebody deleted the result; the file is there all the same.
      if (!(thrown instanceof GatewayError) || thrown.code !== "SCAN_RESULT_NOT_FOUND") throw thrown;
    });
    await lake.discard(id, { folder: directory, fileName });
  }
  const detail = JSON.stringify({ transfer: id, sizeBytes });
  await store.addAcquisitionEvent(acquisition.id, { event: "file-removed", detail }, clock.nowMs());
  await store.changeTransfer(id, { state: "removed" }, clock.nowMs());
}

/** What it was, without the files. */
function emptied(acquisition: Acquisition, transfer: Transfer, directory: string): ScanResultContent {
  const gateway = { ...gatewayFacts(acquisition, transfer), is_removed: true };
  return { type: typeOf(transfer.fileName), directory, files: [], meta: JSON.stringify({ gateway }) };
}
