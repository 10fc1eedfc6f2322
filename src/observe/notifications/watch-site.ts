import type { ArchiveCondition } from "../../store/archive-condition.ts";
import type { NoticeMark } from "../../store/notices.ts";
import type { Store } from "../../store/store.ts";
import type { Clock } from "../../units/clock.ts";
import type { Notice, NoticeEvent } from "../../units/notifications.ts";
import type { Tell } from "./outbox.ts";

const ARCHIVE = "archive:";
const STAGING = "staging";
const HELD = "held";
const GIGABYTE = 1e9;

interface Watch {
  readonly clock: Pick<Clock, "nowMs">;
  readonly tell: Tell;
  /** As they are kept; what this looker changes is changed in here too. */
  readonly marks: Map<string, string>;
}

export interface ArchiveWatch extends Watch {
  /** Those there are now. */
  readonly archives: () => Iterable<string>;
  readonly conditionOf: (archive: string) => Promise<ArchiveCondition>;
}

export interface StagingWatch extends Watch {
  readonly freeBytes: () => Promise<number>;
  readonly reserveBytes: number;
  /** Whose staging it is. */
  readonly node: string;
  /** The same, where several gateways share the marks. */
  readonly owner: string | undefined;
}

/** A mark of one gateway's own, where several share the store. */
export function markOf(name: string, owner: string | undefined): string {
  return owner === undefined ? name : `${name}@${owner}`;
}

export interface IntakeWatch extends Watch {
  readonly store: Pick<Store, "intakeCounts">;
}

interface Found {
  readonly mark: NoticeMark & { readonly value: string };
  readonly notice: Omit<Notice, "atMs">;
}

/** Compares archives with what was told of them last. */
export async function watchArchives(watch: ArchiveWatch): Promise<void> {
  const found: (Found | undefined)[] = [];
  for (const archive of watch.archives()) found.push(await archiveChange(watch, archive));
  for (const change of found) await tellChange(watch, change);
}

/** Compares staging with what was told of it last. */
export async function watchStaging(watch: StagingWatch): Promise<void> {
  await tellChange(watch, await stagingChange(watch));
}

/** Tells when more studies are held than were told of; when there are fewer, that is only noted. */
export async function watchIntake({ store, clock, tell, marks }: IntakeWatch): Promise<void> {
  const studies = (await store.intakeCounts()).find(({ state }) => state === "held")?.studies ?? 0;
  const told = Number(marks.get(HELD) ?? 0);
  if (studies === told) return;
  const mark = { name: HELD, value: String(studies) };
  const notice = { event: "intake-held", atMs: clock.nowMs(), facts: { studies } } as const;
  await tell(studies > told ? [notice] : [], [mark]);
  marks.set(mark.name, mark.value);
}

async function tellChange({ clock, tell, marks }: Watch, change: Found | undefined): Promise<void> {
  if (change === undefined) return;
  await tell([{ ...change.notice, atMs: clock.nowMs() }], [change.mark]);
  marks.set(change.mark.name, change.mark.value);
}

const ARCHIVE_EVENTS = { up: "archive-back", down: "archive-down", paused: "archive-paused" } as const satisfies Record<
  string,
  NoticeEvent
>;

/** An archive that is probed after its rest is not back before it has answered. */
async function archiveChange({ conditionOf, marks }: ArchiveWatch, archive: string): Promise<Found | undefined> {
  const { paused, breaker } = await conditionOf(archive);
  const state = paused ? "paused" : breaker.state === "closed" ? "up" : "down";
  const name = ARCHIVE + archive;
  if (state === (marks.get(name) ?? "up")) return undefined;
  const code = breaker.state === "closed" || paused ? {} : { code: breaker.code };
  return { mark: { name, value: state }, notice: { event: ARCHIVE_EVENTS[state], facts: { archive, ...code } } };
}

async function stagingChange({
  freeBytes,
  reserveBytes,
  marks,
  node,
  owner,
}: StagingWatch): Promise<Found | undefined> {
  const free = await freeBytes();
  const state = free < reserveBytes ? "low" : "enough";
  const name = markOf(STAGING, owner);
  if (state === (marks.get(name) ?? "enough")) return undefined;
  const facts = {
    node,
    freeGigabytes: Math.floor(free / GIGABYTE),
    reserveGigabytes: Math.floor(reserveBytes / GIGABYTE),
    ...(state === "low" ? { code: "STAGING_FULL" } : {}),
  };
  return { mark: { name, value: state }, notice: { event: `staging-${state}`, facts } };
}
