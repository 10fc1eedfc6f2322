import { toGatewayError } from "../errors/gateway-error.ts";
import { TRANSFER_STATES } from "../store/acquisition-states.ts";
import type { Acquisition, Transfer } from "../store/acquisitions.ts";
import { finishWithoutData, type Ledger } from "./ledger.ts";
import { publish } from "./publish.ts";
import type { Uploads } from "./uploads.ts";

/** Looked at in one go; what is more is looked at next. */
const PAGE = 500;

/**
 * At start, with nobody at work: every transfer of a process that died ends with its result published, when all its bytes were verified, or
 * with nothing; and every acquisition that was being aborted is. Devices get time to come back to the others.
 */
export async function recover(ledger: Ledger): Promise<{ readonly published: number; readonly aborted: number }> {
  const { store, lake, clock, policy, logger } = ledger.world;
  let published = 0;
  let aborted = 0;
  for (const transfer of await store.openTransfers(PAGE)) {
    const acquisition = await store.acquisition(transfer.acquisitionId);
    if (acquisition === undefined) continue;
    if (await takeUp(ledger, acquisition, transfer)) published += 1;
    else aborted += 1;
  }
  for (const acquisition of await store.listAcquisitions({ isOpen: true, limit: PAGE })) {
    if (acquisition.state === "aborting") await ledger.abort(acquisition.id, acquisition.code ?? "SCAN_DEVICE_LOST");
    else await ledger.settle(acquisition.id);
    await store.renewAcquisitionsOf(acquisition.deviceId, clock.nowMs() + policy.disconnectGraceMs);
  }
  const known = new Set((await store.openTransfers(PAGE)).map(({ id }) => id));
  for (const id of await lake.staged()) if (!known.has(id)) await lake.discard(id);
  if (published + aborted > 0)
    logger.warn("transfers of a process that ended", { delivered: published, failed: aborted });
  return { published, aborted };
}

/** True when it ended as published. */
async function takeUp(ledger: Ledger, acquisition: Acquisition, transfer: Transfer): Promise<boolean> {
  const { lake, logger } = ledger.world;
  const isWhole = transfer.state === "committed" || transfer.state === "verified";
  if (isWhole) {
    try {
      await publish(ledger, acquisition, transfer);
      return true;
    } catch (thrown) {
      logger.error("a verified file could not be published", {
        transfer: transfer.id,
        code: toGatewayError(thrown).code,
      });
      if (transfer.state === "committed") return false;
    }
  }
  await lake.discard(transfer.id);
  await ledger.abortTransfer(transfer, "SCAN_TRANSFER_CUT");
  return false;
}

/** What nobody answers for any more, and what is to be cancelled. One that cannot be ended now is looked at again next time, and holds up no other. */
export async function sweep(ledger: Ledger, uploads: Pick<Uploads, "isLive">): Promise<readonly Acquisition[]> {
  const { store, clock, logger } = ledger.world;
  const lapsed = await store.lapsedAcquisitions(clock.nowMs(), PAGE);
  const ended: Acquisition[] = [];
  for (const acquisition of lapsed) {
    try {
      if (await endLapsed(ledger, uploads, acquisition)) ended.push(acquisition);
    } catch (thrown) {
      logger.warn("acquisition waits to be ended", { acquisition: acquisition.id, code: toGatewayError(thrown).code });
    }
  }
  return ended;
}

async function endLapsed(ledger: Ledger, uploads: Pick<Uploads, "isLive">, acquisition: Acquisition): Promise<boolean> {
  const { store, clock, policy } = ledger.world;
  const { id, state, cancelAskedAtMs, isDeviceDone } = acquisition;
  if (cancelAskedAtMs !== undefined) {
    await ledger.abort(id, "SCAN_CANCELLED");
    return true;
  }
  if (state === "claimed" || state === "started") {
    await ledger.abort(id, "SCAN_DEVICE_SILENT");
    return true;
  }
  if (state === "aborting") {
    await ledger.abort(id, acquisition.code ?? "SCAN_DEVICE_LOST");
    return true;
  }
  const transfers = await store.transfersOf(id);
  if (transfers.some((each) => !TRANSFER_STATES[each.state].isFinal && uploads.isLive(each.id))) {
    await store.changeAcquisition(acquisition, { leaseUntilMs: clock.nowMs() + policy.quietPeriodMs }, clock.nowMs());
    return false;
  }
  // Of one that could not be taken back when it failed.
  for (const each of transfers) if (each.state === "aborting") await ledger.abortTransfer(each, "SCAN_TRANSFER_CUT");
  if (!isDeviceDone) await ledger.abort(id, "SCAN_DEVICE_LOST");
  else if (transfers.some((each) => each.state === "published")) await ledger.settle(id);
  else await finishWithoutData(ledger, acquisition);
  return true;
}
