import type { Destination, StudyDelivery } from "../../src/delivery/destination.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import type { DeidentifiedFile } from "../../src/staging/deidentified-file.ts";
import { orAborted } from "../../src/units/abort.ts";
import type { Faults } from "./faults.ts";
import { fileAt, systemCall } from "./machine.ts";
import type { Scheduler } from "./scheduler.ts";

/** An instance that a destination was sent. */
export interface SentInstance {
  readonly destination: string;
  readonly node: string;
  readonly project: string;
  readonly studyInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly sha256: string;
  readonly bytes: Buffer;
  /** It had it already when it was sent. */
  readonly isAgain: boolean;
}

export interface SimulatedDestination {
  readonly name: string;
  /** What it holds: SOP Instance UID to content. */
  readonly holds: ReadonlyMap<string, Buffer>;
  connect(node: string): Destination;
}

export interface SimulatedDestinationOptions {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  /** Told before the destination has it. */
  readonly onSent: (sent: SentInstance) => void;
}

const LATE_MS = 20_000;

/** A store far away: it takes, forgets, takes late, breaks off, and its answers are lost. */
export function createSimulatedDestination(options: SimulatedDestinationOptions): SimulatedDestination {
  const { name, scheduler, faults } = options;
  const holds = new Map<string, Buffer>();
  const reach = async (signal: AbortSignal): Promise<void> => {
    await orAborted(
      scheduler.later(scheduler.between(1, 30), () => undefined),
      signal,
    );
    if (faults.strikes("destination cannot be reached", 0.06)) throw new GatewayError("CONNECTION_FAILED");
  };
  return {
    name,
    holds,
    connect: (node) => ({
      name,
      kind: "dimse",
      proof: "uids",
      async held({ files }, signal) {
        await reach(signal);
        return new Set(files.map(({ sopInstanceUid }) => sopInstanceUid).filter((uid) => holds.has(uid)));
      },
      async send(delivery, files, signal) {
        await reach(signal);
        for (const file of files) await sendOne(delivery, file, node, { ...options, holds }, signal);
      },
      conclude: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
  };
}

async function sendOne(
  { project, studyInstanceUid }: StudyDelivery,
  { path, sopInstanceUid, sha256 }: DeidentifiedFile,
  node: string,
  { name, scheduler, faults, onSent, holds }: SimulatedDestinationOptions & { readonly holds: Map<string, Buffer> },
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const bytes = await systemCall("read", "send", () => Buffer.from(fileAt(path).content));
  await orAborted(
    scheduler.later(scheduler.between(1, 20), () => undefined),
    signal,
  );
  if (faults.strikes("destination breaks off", 0.03)) throw new GatewayError("ASSOCIATION_ABORTED");
  if (faults.strikes("destination forgets", 0.03)) return;
  const isAgain = holds.has(sopInstanceUid);
  const take = (): void => void holds.set(sopInstanceUid, bytes);
  // What comes late was sent now: in the try that is under way now.
  onSent({ destination: name, node, project, studyInstanceUid, sopInstanceUid, sha256, bytes, isAgain });
  if (faults.strikes("destination is late", 0.03)) {
    scheduler.at(scheduler.nowMs + scheduler.between(100, LATE_MS), take, {
      node,
      isAlive: true,
      skewMs: 0,
      bootedAtMs: 0,
    });
    return;
  }
  take();
  if (faults.strikes("destination's answer is lost", 0.03)) throw new GatewayError("ASSOCIATION_ABORTED");
}
