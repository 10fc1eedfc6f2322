import { toGatewayError } from "../errors/gateway-error.ts";
import { TRANSFER_STATES } from "../store/acquisition-states.ts";
import type { Acquisition, Transfer } from "../store/acquisitions.ts";
import type { Store } from "../store/store.ts";
import type { Ledger } from "./ledger.ts";
import { publish } from "./publish.ts";
import { signatureOf } from "./signatures.ts";

/** Looked at in one go; what is more is looked at next. */
const PAGE = 500;

/** How a transfer that nobody is at ended; undefined: its acquisition is not known. */
export type Ending = "published" | "aborted" | undefined;

/**
 * Leads a transfer that nobody is at to its end: to a result when all its bytes are there, else to nothing.
 * @throws GatewayError SCAN_FILE_WAITS and what publishing throws; what taking back throws, which is to be repeated
 */
export async function takeUp(ledger: Ledger, id: string): Promise<Ending> {
  const { store } = ledger.world;
  return await ledger.lanes.run(id, async () => {
    const transfer = await store.transfer(id);
    const acquisition = transfer && (await store.acquisition(transfer.acquisitionId));
    if (transfer === undefined || acquisition === undefined) return undefined;
    if (TRANSFER_STATES[transfer.state].isFinal) return transfer.state === "published" ? "published" : "aborted";
    try {
      const whole = await asWhole(ledger, transfer);
      if (whole === undefined) await ledger.abortTransfer(transfer, "SCAN_TRANSFER_CUT");
      else await publishLate(ledger, acquisition, whole);
      ledger.waits.forget(id);
      await ledger.settle(acquisition.id);
      return whole === undefined ? "aborted" : "published";
    } catch (thrown) {
      // A file that waits to be published has its next time already.
      if (toGatewayError(thrown).code !== "SCAN_FILE_WAITS") ledger.waits.failed(id);
      throw thrown;
    }
  });
}

async function publishLate(ledger: Ledger, acquisition: Acquisition, transfer: Transfer): Promise<void> {
  const { store, clock } = ledger.world;
  await publish(ledger, acquisition, transfer);
  const detail = JSON.stringify({ transfer: transfer.id });
  await store.addAcquisitionEvent(acquisition.id, { event: "file-published", detail }, clock.nowMs());
}

/** All bytes were here, though this could not be written down any more: the device, which has sent them, may not have them for a second time. */
async function asWhole({ world }: Ledger, transfer: Transfer): Promise<Transfer | undefined> {
  const { store, lake, clock } = world;
  const { id, state, sizeBytes, declaredSha256 } = transfer;
  if (state === "verified" || state === "committed") return transfer;
  // Without a sum of the device's own nobody knows whether they are right.
  if (state !== "receiving" || declaredSha256 === undefined) return undefined;
  const staged = await lake.stagedSum(id, sizeBytes);
  if (staged?.sha256 !== declaredSha256) return undefined;
  const facts = { state: "verified", sha256: declaredSha256, signature: signatureOf(staged.head) } as const;
  return (await store.changeTransfer(id, facts, clock.nowMs())) ? { ...transfer, ...facts } : undefined;
}

export interface TakenUp {
  readonly published: number;
  readonly aborted: number;
}

/** Every open transfer that nobody is at and whose time has come, until one fails for a reason that the next would meet too. */
export async function takeUpAll(ledger: Ledger, isLive: (transferId: string) => boolean): Promise<TakenUp> {
  const { store, logger } = ledger.world;
  const ended = { published: 0, aborted: 0 };
  for await (const { id } of pages((after) => store.openTransfers(PAGE, after))) {
    if (isLive(id) || !ledger.waits.isDue(id)) continue;
    try {
      const ending = await takeUp(ledger, id);
      if (ending !== undefined) ended[ending] += 1;
    } catch (thrown) {
      const { code, class: errorClass } = toGatewayError(thrown);
      logger.warn("a transfer of a process that ended, or of an outage, could not be taken up", { transfer: id, code });
      if (errorClass !== "permanent") break;
    }
  }
  return ended;
}

/** Every record of a list, page by page: those before the last one may change meanwhile. */
export async function* pages<T extends { readonly id: string }>(
  list: (after: string | undefined) => Promise<readonly T[]>,
): AsyncGenerator<T> {
  for (let after: string | undefined; ; ) {
    const page = await list(after);
    yield* page;
    after = page.at(-1)?.id;
    if (after === undefined) return;
  }
}

/** What got stuck is tried once more: somebody may have mended it before he started this process. */
export async function releaseStuck({ world }: Ledger): Promise<void> {
  const { store, clock } = world;
  for await (const transfer of pages((after) => store.stuckTransfers(PAGE, after)))
    await releaseTransfer(store, transfer, clock.nowMs());
}

/** It is published at the next look at open ones, if it can be. Answers whether it was still stuck. */
export async function releaseTransfer(
  store: Pick<Store, "changeTransfer">,
  { id, directory }: Pick<Transfer, "id" | "directory">,
  nowMs: number,
): Promise<boolean> {
  return await store.changeTransfer(id, { state: directory === undefined ? "verified" : "committed" }, nowMs);
}
