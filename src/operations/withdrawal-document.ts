import type { NodeRecord } from "../store/nodes.ts";
import {
  COPY_STATES,
  type CopyState,
  PLACES_OVER,
  type WithdrawalRecord,
  type WithdrawnCopy,
  type WithdrawnPlace,
} from "../store/withdrawals.ts";
import type { Actor } from "../units/actor.ts";
import type { AuditEvent } from "../units/audit.ts";
import { isoTime } from "./describe.ts";
import type { GivenUpNode, LeftCopy, WaitedFor, WithdrawalDocument } from "./withdrawal-operations.ts";

type Found = Pick<WithdrawalRecord, "jobs" | "copies" | "places" | "state">;

/** So much of a digest names a patient in the audit trail. */
const REFERENCE_LENGTH = 16;

/** Without any identifier of the patient. */
export function withdrawalEvent(
  actor: Actor,
  event: "patient-withdrawn" | "patient-withdrawal-ended",
  { project, digest }: Pick<WithdrawalRecord, "project" | "digest">,
  reason?: string,
): AuditEvent {
  const detail = { reference: digest.slice(0, REFERENCE_LENGTH), ...(reason === undefined ? {} : { reason }) };
  return { event, actor, outcome: "success", project, detail };
}

interface Around {
  readonly nodes: readonly NodeRecord[];
  readonly unaskedHeld: number;
  readonly withdrawnBefore: number;
}

/** What came of the withdrawal of some patients from a project. */
export function documentOf(
  project: string,
  dryRun: boolean,
  found: readonly Found[],
  { nodes, unaskedHeld, withdrawnBefore }: Around,
): WithdrawalDocument {
  const copies = found.flatMap((each) => each.copies);
  const byDestination = Map.groupBy(copies, ({ destination }) => destination);
  return {
    project,
    dryRun,
    patients: found.length,
    withdrawnBefore,
    studies: found.reduce((sum, { jobs }) => sum + jobs.length, 0),
    done: found.filter(({ state, places }) => state === "done" && !places.some(isGivenUp)).length,
    waitingFor: waitedFor(found, nodes),
    givenUp: countNodes(found, isGivenUp),
    unaskedHeld,
    destinations: [...byDestination]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => ({ name, copies: countsOf(each) })),
    left: copies.flatMap(leftOf),
  };
}

function waitedFor(found: readonly Found[], nodes: readonly NodeRecord[]): readonly WaitedFor[] {
  const seen = new Map(nodes.map(({ name, seenAtMs }) => [name, isoTime(seenAtMs)]));
  const waiting = countNodes(found, ({ state }) => !PLACES_OVER.has(state));
  return waiting.map((each) => ({ ...each, seenAt: seen.get(each.node) ?? null }));
}

function isGivenUp({ state }: WithdrawnPlace): boolean {
  return state === "given-up";
}

/** By name, with how many patients each is named for. */
function countNodes(found: readonly Found[], isMeant: (place: WithdrawnPlace) => boolean): readonly GivenUpNode[] {
  const named = found.flatMap(({ places }) => places.filter(isMeant).map(({ node }) => node));
  return [...Map.groupBy(named, (node) => node)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([node, each]) => ({ node, patients: each.length }));
}

function countsOf(copies: readonly WithdrawnCopy[]): { readonly [S in CopyState]: number } {
  const counts = { waiting: 0, removed: 0, absent: 0, person: 0, failed: 0 } satisfies { [S in CopyState]: number };
  for (const state of COPY_STATES) counts[state] = copies.filter((copy) => copy.state === state).length;
  return counts;
}

function leftOf({ destination, pseudonym, pseudoStudyInstanceUid, state, code }: WithdrawnCopy): LeftCopy[] {
  if (state === "removed" || state === "absent") return [];
  return [{ destination, pseudonym, pseudoStudyInstanceUid, state, code: code ?? null }];
}
