import { openingHoursOf, policyInForce } from "../archive/availability/policy.ts";
import { identifierFromKeys } from "../archive/find-keys.ts";
import type { DataSet } from "../dicom/data-set.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { ArchiveCondition, ArchiveOverrides } from "../store/archive-condition.ts";
import type { ArchiveControls } from "../store/records.ts";
import { abortAfter } from "../units/abort.ts";
import type { ArchiveFacts, OperationsContext } from "./context.ts";
import { isoTime } from "./describe.ts";
import type { ArchiveDocument, ArchiveState } from "./documents.ts";
import { limitingKeys } from "./search/question.ts";

/** @throws GatewayError ARCHIVE_UNKNOWN */
export function archiveNamed({ archives }: OperationsContext, name: string): ArchiveFacts {
  const facts = archives.get(name);
  if (facts === undefined) throw new GatewayError("ARCHIVE_UNKNOWN", { archive: name });
  return facts;
}

export async function* listArchives(context: OperationsContext): AsyncGenerator<ArchiveDocument> {
  const { store, archives, clock } = context;
  for (const [name, facts] of archives) yield describeArchive(facts, await store.archiveCondition(name), clock.nowMs());
}

/** Longest time for one question that somebody waits for to learn how a peer is. */
export const CHECK_TIMEOUT_MS = 15_000;

/** Through what work goes through too: an archive that answers need not rest any longer. */
export async function echoArchive(context: OperationsContext, name: string, signal: AbortSignal) {
  const { governed } = archiveNamed(context, name);
  const startedAtMs = context.clock.nowMs();
  using limited = abortAfter(CHECK_TIMEOUT_MS, signal);
  await governed.echo(limited);
  return { archive: name, ok: true, milliseconds: context.clock.nowMs() - startedAtMs } as const;
}

export interface ArchiveFindOptions {
  readonly level: "STUDY" | "SERIES" | "IMAGE";
  /** @default 100,000: more answers than a person can want */
  readonly maximumAnswers?: number | undefined;
  /** Keys may leave nothing out; needs `maximumAnswers`. */
  readonly yesAll?: boolean | undefined;
}

const USUAL_MAXIMUM_ANSWERS = 100_000;

/** @throws GatewayError ARCHIVE_UNKNOWN, SEARCH_TOO_BROAD, QUERY_KEY_… */
export function findInArchive(
  context: OperationsContext,
  name: string,
  keys: readonly string[],
  { level, maximumAnswers, yesAll = false }: ArchiveFindOptions,
  signal: AbortSignal,
): AsyncIterable<DataSet> {
  const { archive } = archiveNamed(context, name);
  const identifier = identifierFromKeys(level, keys);
  const isAllMeant = yesAll && maximumAnswers !== undefined;
  if (limitingKeys(keys).length === 0 && !isAllMeant) throw new GatewayError("SEARCH_TOO_BROAD");
  return archive.find(identifier, maximumAnswers ?? USUAL_MAXIMUM_ANSWERS, signal);
}

/** In force at once, also in a running service, and over a restart; without controls it only looks. @throws GatewayError ARCHIVE_UNKNOWN */
export async function controlArchive(
  context: OperationsContext,
  name: string,
  controls: ArchiveControls,
): Promise<ArchiveDocument> {
  const facts = archiveNamed(context, name);
  const { store, clock, audit, actor } = context;
  const nowMs = clock.nowMs();
  const changed = Object.keys(controls.overrides ?? {}).join(" ");
  // Who only looks leaves no trace.
  if (controls.paused === undefined && changed === "")
    return describeArchive(facts, await store.archiveCondition(name), nowMs);
  const condition = await store.setArchiveControls(name, controls, nowMs);
  const detail = {
    archive: name,
    ...(controls.paused === undefined ? {} : { paused: controls.paused }),
    ...(changed === "" ? {} : { changed }),
  };
  await audit.record({ event: "archive-controlled", actor, outcome: "success", detail });
  return describeArchive(facts, condition, nowMs);
}

function describeArchive(
  { archive, availability, endpoint, dimse }: ArchiveFacts,
  condition: ArchiveCondition,
  nowMs: number,
): ArchiveDocument {
  const { windows, timeZone, studiesPerMinute, bytesPerSecond } = policyInForce(availability, condition);
  return {
    name: archive.name,
    kind: archive.kind,
    address: endpoint,
    ...(dimse === undefined ? {} : { retrieve: dimse.retrieve }),
    associations: archive.associations,
    ...archiveStateOf(availability, condition, nowMs),
    ...(windows === undefined ? {} : { windows }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(studiesPerMinute === undefined ? {} : { studiesPerMinute }),
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
    changed: changedKeys(condition.overrides),
  };
}

/** Whether it may be asked now, and if not, when. */
export function archiveStateOf(
  availability: ArchiveFacts["availability"],
  condition: ArchiveCondition,
  nowMs: number,
): Pick<ArchiveDocument, "state" | "code" | "until" | "opensAt" | "closesAt"> {
  const { paused } = condition;
  const hours = openingHoursOf(policyInForce(availability, condition));
  const opensAtMs = hours.nextOpeningMs(nowMs);
  const closesAtMs = hours.closesAtMs(nowMs);
  const rest = restOf(condition);
  const isResting = nowMs < rest.untilMs;
  const state: ArchiveState = paused ? "paused" : opensAtMs !== nowMs ? "closed" : isResting ? "resting" : "open";
  return {
    state,
    ...(isResting ? { code: rest.code, until: isoTime(rest.untilMs) } : {}),
    ...(opensAtMs === undefined || opensAtMs === nowMs ? {} : { opensAt: isoTime(opensAtMs) }),
    ...(closesAtMs === undefined ? {} : { closesAt: isoTime(closesAtMs) }),
  };
}

/** After failures, or because it asked for it: whichever ends later. */
function restOf({ breaker, sparedUntilMs }: ArchiveCondition): { readonly code: ErrorCode; readonly untilMs: number } {
  if (breaker.state !== "closed" && breaker.untilMs >= sparedUntilMs) return breaker;
  return { code: "ARCHIVE_ASKED_TO_WAIT", untilMs: sparedUntilMs };
}

function changedKeys(overrides: ArchiveOverrides): readonly string[] {
  return Object.entries(overrides).flatMap(([key, value]) => (value === undefined ? [] : [key]));
}
