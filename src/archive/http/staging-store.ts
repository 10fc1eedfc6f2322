import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { StudyInstanceUid } from "../../dicom/uid.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import type { IncomingInstance, InstanceStore } from "../../network/instance-files/incoming.ts";
import { openInstanceFolder } from "../../network/instance-files/instance-folder.ts";
import type { InstanceIntake, StagedInstance } from "../../staging/staging-area.ts";
import type { Clock } from "../../units/clock.ts";
import type { Random } from "../../units/random.ts";
import type { Pace } from "../availability/pace.ts";
import type { Expectations } from "../expectations.ts";
import type { Refusals } from "../refusals.ts";

/** What takes instances that we fetch. */
export interface InstanceTaker {
  readonly staging: Pick<InstanceIntake, "incoming" | "adopt">;
  readonly expectations: Expectations;
  readonly refusals: Refusals;
  readonly pace: Pace;
  readonly clock: Clock;
  readonly random: Random;
}

/** Instances of one study on their way into staging, bytes as they came. Disposing removes what is half. */
export interface StagingStore extends InstanceStore<StagedInstance>, AsyncDisposable {}

/** @throws GatewayError STAGING_FULL, STAGING_UNAVAILABLE, as its instances do */
export async function openStagingStore(
  taker: InstanceTaker,
  study: StudyInstanceUid,
  signal: AbortSignal,
): Promise<StagingStore> {
  const { staging, clock, random } = taker;
  const path = join(staging.incoming, Buffer.from(random.bytes(16)).toString("hex"));
  const folder = await openInstanceFolder(path, clock).catch(asStagingError);
  return {
    begin: async () => taking(await folder.begin(), taker, study, signal),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

function taking(
  file: IncomingInstance<string>,
  { staging, expectations, refusals, pace }: InstanceTaker,
  study: StudyInstanceUid,
  signal: AbortSignal,
): IncomingInstance<StagedInstance> {
  return {
    source: () => file.source(),
    borrows: file.borrows,
    async write(pieces) {
      let sizeBytes = 0;
      for (const { length } of pieces) sizeBytes += length;
      await Promise.resolve(file.write(pieces)).catch(asStagingError);
      await pace.take(sizeBytes, signal);
    },
    async keep(sopInstanceUid) {
      try {
        const whole = await file.keep(sopInstanceUid).catch(asStagingError);
        const staged = await staging.adopt(whole, ({ studyInstanceUid }) => studyInstanceUid === study);
        expectations.noteArrival(staged.studyInstanceUid, staged.sopInstanceUid);
        return staged;
      } catch (thrown) {
        refusals.noteRefusal([sopInstanceUid], toGatewayError(thrown).code);
        throw thrown;
      }
    },
    discard: () => file.discard(),
  };
}

/** What came and cannot be taken will be no better next time; what was cut short may be. */
export function noteRefused(
  refusals: Refusals,
  { code, class: errorClass }: Pick<GatewayError, "code" | "class">,
  sopInstanceUids: readonly string[],
  study: StudyInstanceUid,
): void {
  if (errorClass === "permanent") refusals.noteRefusal([...sopInstanceUids, study], code);
}

function asStagingError(thrown: unknown): never {
  const { code, details } = toGatewayError(thrown);
  if (code !== "FOLDER_NOT_WRITABLE") throw thrown;
  const isFull = details.reason === "ENOSPC" || details.reason === "EDQUOT";
  throw new GatewayError(isFull ? "STAGING_FULL" : "STAGING_UNAVAILABLE", details, thrown);
}
