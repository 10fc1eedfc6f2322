import type { GatewayError } from "../../errors/gateway-error.ts";
import { asDicomTrolleyError, DicomTrolleyError, type RegistryError, registryFailure } from "./errors.ts";
import type { SoapAnswer, SoapFault } from "./soap-reader.ts";

/** What an answer means for the instances that did not come with it. */
export interface Judgement {
  /** By SOP Instance UID, each of those that did not come. */
  readonly failures: ReadonlyMap<string, DicomTrolleyError>;
  /** By SOP Instance UID: said of instances, whether they came or not. */
  readonly warnings: ReadonlyMap<string, readonly RegistryError[]>;
  /** The error that is said of all of them rather than of each. */
  readonly ofAll: DicomTrolleyError | undefined;
}

/** The error that a SOAP fault stands for. */
export function faultError({ code, subcode }: SoapFault, instances: readonly string[]): DicomTrolleyError {
  // SOAP 1.1 says Server.
  const isReceiver = code === "Receiver" || code.startsWith("Server");
  const name = /^[A-Za-z.]{1,60}$/;
  return new DicomTrolleyError(
    isReceiver ? "RAD69_FAULT_RECEIVER" : "RAD69_FAULT_SENDER",
    { ...(name.test(code) ? { code } : {}), ...(name.test(subcode) ? { subcode } : {}) },
    instances,
  );
}

/**
 * Explains each missing instance: by the error that names it, else by one that names none, else as left out in silence. The status itself
 * decides nothing: sources contradict it, and what came was checked.
 * @param missing SOP Instance UIDs that were asked for and did not come
 * @param refused what came of them and was not kept, and why
 */
export function judge(
  { fault, errors }: Pick<SoapAnswer, "fault" | "errors">,
  missing: readonly string[],
  refused: ReadonlyMap<string, GatewayError>,
): Judgement {
  const warnings = Map.groupBy(
    errors.filter(({ severity, location }) => severity === "warning" && location !== ""),
    ({ location }) => location,
  );
  const failing = errors.filter(({ severity }) => severity === "error");
  const named = Map.groupBy(failing, ({ location }) => location);
  const unexplained = missing.filter((uid) => !named.has(uid) && !refused.has(uid));
  const others = failing.filter(({ location }) => !missing.includes(location));
  const ofAll =
    fault !== undefined
      ? faultError(fault, unexplained)
      : others.length > 0 && unexplained.length > 0
        ? registryFailure(others, unexplained)
        : undefined;
  const failures = new Map(
    missing.map((uid) => [uid, failureOf(uid, named.get(uid), refused.get(uid)) ?? ofAll ?? notSent(uid)]),
  );
  return { failures, warnings, ofAll };
}

function failureOf(
  uid: string,
  named: readonly RegistryError[] | undefined,
  refused: GatewayError | undefined,
): DicomTrolleyError | undefined {
  if (refused !== undefined) return asDicomTrolleyError(refused, [uid]);
  return named === undefined ? undefined : registryFailure(named, [uid]);
}

function notSent(uid: string): DicomTrolleyError {
  return new DicomTrolleyError("RAD69_DOCUMENT_NOT_SENT", {}, [uid]);
}
