import { toGatewayError } from "../errors/gateway-error.ts";
import { TRANSFER_STATES } from "../store/acquisition-states.ts";
import type { Acquisition } from "../store/acquisitions.ts";
import { finishWithoutData, type Ledger } from "./ledger.ts";
import { pages, releaseStuck, type TakenUp, takeUpAll } from "./take-up.ts";
import type { Uploads } from "./uploads.ts";

/** Looked at in one go; what is more is looked at next. */
const PAGE = 500;

/**
 * At start, with nobody at work: every transfer of a process that died ends with its result published, when all its bytes are there, or
 * with nothing; and every acquisition that was being aborted is. Devices get time to come back to the others. What cannot be ended now, as
 * the exam manager does not answer, is left to `sweep`.
 * @throws GatewayError STORE_…, SCAN_LAKE_UNAVAILABLE
 */
export async function recover(ledger: Ledger): Promise<TakenUp> {
  const { store, lake, logger } = ledger.world;
  await releaseStuck(ledger);
  const { published, aborted } = await takeUpAll(ledger, () => false);
  const open = (after: string | undefined) =>
    store.listAcquisitions({ isOpen: true, limit: PAGE, ...(after === undefined ? {} : { after }) });
  for await (const acquisition of pages(open)) {
    await ledger.awaitDevice(acquisition);
    if (acquisition.state !== "aborting") await ledger.settle(acquisition.id);
    else await abortAgain(ledger, acquisition);
  }
  for (const id of await lake.staged()) {
    const transfer = await store.transfer(id);
    if (transfer === undefined || TRANSFER_STATES[transfer.state].isFinal) await lake.discard(id);
  }
  const left = (await store.openTransfers(PAGE)).length;
  if (published + aborted + left > 0)
    logger.warn("transfers of a process that ended", { delivered: published, failed: aborted, waiting: left });
  return { published, aborted };
}

async function abortAgain(ledger: Ledger, { id, code }: Acquisition): Promise<void> {
  await ledger.abort(id, code ?? "SCAN_DEVICE_LOST").catch((thrown: unknown) => {
    ledger.world.logger.warn("acquisition waits to be ended", { acquisition: id, code: toGatewayError(thrown).code });
  });
}

/**
 * What nobody answers for any more, and what is to be cancelled. One that cannot be ended now is looked at again next time, and holds up no
 * other. Then whole files that wait to be published, and what could not be taken back before.
 */
export async function sweep(ledger: Ledger, uploads: Pick<Uploads, "isLive">): Promise<readonly Acquisition[]> {
  const { store, clock, logger } = ledger.world;
  const lapsed = await store.lapsedAcquisitions(clock.nowMs(), PAGE);
  const ended: Acquisition[] = [];
  for (const acquisition of lapsed) {
    try {
      if (await endLapsed(ledger, acquisition)) ended.push(acquisition);
    } catch (thrown) {
      logger.warn("acquisition waits to be ended", { acquisition: acquisition.id, code: toGatewayError(thrown).code });
    }
  }
  // Last: an exam manager that does not answer takes its time, in which no lease is renewed.
  await takeUpAll(ledger, uploads.isLive);
  return ended;
}

async function endLapsed(ledger: Ledger, acquisition: Acquisition): Promise<boolean> {
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
  if (transfers.some((each) => !TRANSFER_STATES[each.state].isFinal)) {
    // They are under way, or wait for their own time.
    await store.changeAcquisition(acquisition, { leaseUntilMs: clock.nowMs() + policy.quietPeriodMs }, clock.nowMs());
    return false;
  }
  const lost = transfers.findLast((each) => each.state !== "published" && each.code !== "SCAN_FILE_REPEATED");
  if (!isDeviceDone) await ledger.abort(id, "SCAN_DEVICE_LOST");
  else if (transfers.some((each) => each.state === "published")) await ledger.settle(id);
  else if (lost !== undefined) await ledger.abort(id, lost.code ?? "SCAN_TRANSFER_CUT");
  else await finishWithoutData(ledger, acquisition);
  return true;
}
