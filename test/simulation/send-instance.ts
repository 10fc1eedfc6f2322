import type { StoreHandler } from "../../src/network/dimse/service-types.ts";
import { STATUS } from "../../src/network/dimse/status.ts";
import { neverAborted } from "../../src/units/abort.ts";
import type { Faults } from "./faults.ts";
import type { HospitalInstance } from "./hospital.ts";
import type { Scheduler } from "./scheduler.ts";

/** What the other side of a C-STORE hears; undefined: nothing, the connection broke. */
export type Heard = number | undefined;

/** C-STORE to a node's receiver, in two pieces. */
export async function sendInstance(
  instance: HospitalInstance,
  receive: StoreHandler,
  callingAeTitle: string,
  { scheduler, faults }: { readonly scheduler: Scheduler; readonly faults: Faults },
): Promise<Heard> {
  const transfer = (): Promise<void> => scheduler.later(scheduler.between(0.2, 15), () => undefined);
  await transfer();
  const { bytes, sopClassUid, sopInstanceUid, transferSyntaxUid } = instance;
  const sink = await receive(
    {
      ...{ sopClassUid, sopInstanceUid, transferSyntaxUid, callingAeTitle },
      ...{ calledAeTitle: "RADFERRY", remoteAddress: "10.0.0.1" },
    },
    neverAborted(),
  );
  if ("refuse" in sink) return sink.refuse;
  const half = bytes.length >> 1;
  await sink.write(bytes.subarray(0, half));
  await transfer();
  if (faults.strikes("archive breaks off", 0.02)) {
    await sink.abort();
    return undefined;
  }
  await sink.write(bytes.subarray(half));
  const answer = await sink.close();
  return typeof answer === "number" ? answer : answer.status;
}

export function isTaken(heard: Heard): boolean {
  return heard === STATUS.success;
}
