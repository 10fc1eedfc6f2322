import { SILENT_MS } from "../store/nodes.ts";
import type { OperationsContext } from "./context.ts";
import { isoTime } from "./describe.ts";

/** What people can ask of the gateways that share a database: part of `Operations`. */
export interface NodeOperations {
  /** By name; none where the store is one gateway's own. */
  listNodes(): Promise<readonly NodeDocument[]>;
}

export interface NodeDocument {
  readonly name: string;
  readonly version: string;
  readonly roles: readonly string[];
  /** Where its DICOM listener is, `AET@host:port`. Null: it has none. */
  readonly address: string | null;
  readonly startedAt: string;
  /** Of its last sign of life. */
  readonly seenAt: string;
  /** Silent: others may go on in its place. */
  readonly state: "alive" | "silent";
}

export async function listNodes({ store, clock }: OperationsContext): Promise<readonly NodeDocument[]> {
  const nowMs = clock.nowMs();
  return (await store.listNodes()).map(({ address, startedAtMs, seenAtMs, name, version, roles }) => ({
    name,
    version,
    roles,
    address: address ?? null,
    startedAt: isoTime(startedAtMs),
    seenAt: isoTime(seenAtMs),
    state: nowMs - seenAtMs < SILENT_MS ? "alive" : "silent",
  }));
}
