import { GatewayError } from "../errors/gateway-error.ts";
import { SILENT_MS } from "../store/nodes.ts";
import type { OperationsContext } from "./context.ts";
import { isoTime } from "./describe.ts";
import { withdrawalEvent } from "./withdrawal-document.ts";

const REASON_LIMIT = 200;
const PLAIN_LINE = /^[^\p{Cc}]+$/u;
/** PS3.5 9: components with dots between them. */
const UID_LIKE = /\d+(?:\.\d+){3,}/;

/** What people can ask of the gateways that share a database: part of `Operations`. */
export interface NodeOperations {
  /** By name; none where the store is one gateway's own. */
  listNodes(): Promise<readonly NodeDocument[]>;
  /**
   * Gives up a gateway that is gone for good: nothing waits for it any longer.
   * @throws GatewayError NODE_AT_WORK, NODE_UNKNOWN, NODE_FORGET_INVALID
   */
  forgetNode(node: string, wish: NodeForgetWish): Promise<NodeForgottenDocument>;
}

export interface NodeForgetWish {
  /** Why, in the operator's words: without anything that tells a patient. */
  readonly reason: string;
}

/** What was given up, in numbers. */
export interface NodeForgottenDocument {
  readonly node: string;
  readonly forgotten: boolean;
  /** Withdrawals that waited for its disk, which nobody cleared. */
  readonly withdrawals: number;
  /** Of them, those that wait for nothing else. */
  readonly withdrawalsEnded: number;
  /** Studies that others go on with: what it had of them is fetched again. */
  readonly studiesFreed: number;
  /** Studies that were sent to it unasked, and are looked for in archives, as a cohort names them. */
  readonly studiesSoughtAnew: number;
  /** Studies that were sent to it unasked and cannot be had any more. */
  readonly studiesLost: number;
  /** Studies that were sent to it unasked and waited for a person. */
  readonly heldLost: number;
  readonly permits: number;
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

/** See `NodeOperations.forgetNode`. */
export async function forgetNode(
  { store, clock, actor, withdrawn: { soleNode } }: OperationsContext,
  node: string,
  wish: NodeForgetWish,
): Promise<NodeForgottenDocument> {
  const reason = checkedReason(wish.reason);
  if (soleNode !== undefined) throw new GatewayError("NODE_UNKNOWN", { node });
  const audit = { event: "node-forgotten", actor, outcome: "success", detail: { node, reason } } as const;
  const given = await store.giveUpNode(node, audit, clock.nowMs());
  if (given === "at work") throw new GatewayError("NODE_AT_WORK", { node });
  if (given === "unknown") throw new GatewayError("NODE_UNKNOWN", { node });
  const { withdrawals, ...counts } = given;
  let ended = 0;
  for (const { number, project, digest } of withdrawals) {
    const end = withdrawalEvent(actor, "patient-withdrawal-ended", { project, digest });
    if ((await store.forgetWithdrawn(number, end, clock.nowMs())) === "done") ended += 1;
  }
  return { node, forgotten: true, withdrawals: withdrawals.length, withdrawalsEnded: ended, ...counts };
}

/** It stands in the audit trail for good. */
function checkedReason(text: string): string {
  const reason = text.trim();
  if (reason.length === 0 || reason.length > REASON_LIMIT || !PLAIN_LINE.test(reason))
    throw new GatewayError("NODE_FORGET_INVALID", { problem: "the reason is to be one line" });
  if (UID_LIKE.test(reason))
    throw new GatewayError("NODE_FORGET_INVALID", { problem: "the reason holds an identifier" });
  return reason;
}
