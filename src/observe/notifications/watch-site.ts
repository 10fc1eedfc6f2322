import type { ArchiveCondition } from "../../store/archive-condition.ts";
import type { NoticeMark } from "../../store/notices.ts";
import type { Clock } from "../../units/clock.ts";
import type { Notice, NoticeEvent } from "../../units/notifications.ts";
import type { Tell } from "./outbox.ts";

const ARCHIVE = "archive:";
const STAGING = "staging";
const GIGABYTE = 1e9;

export interface SiteWatch {
  /** Those there are now. */
  readonly archives: () => Iterable<string>;
  readonly conditionOf: (archive: string) => Promise<ArchiveCondition>;
  readonly freeBytes: () => Promise<number>;
  readonly reserveBytes: number;
  readonly clock: Pick<Clock, "nowMs">;
  readonly tell: Tell;
  /** As they are kept; what this looker changes is changed in here too. */
  readonly marks: Map<string, string>;
}

interface Found {
  readonly mark: NoticeMark & { readonly value: string };
  readonly notice: Omit<Notice, "atMs">;
}

/** Compares archives and staging with what was told of them last. */
export async function watchSite(watch: SiteWatch): Promise<void> {
  const { archives, clock, tell, marks } = watch;
  const found: (Found | undefined)[] = [];
  for (const archive of archives()) found.push(await archiveChange(watch, archive));
  found.push(await stagingChange(watch));
  for (const change of found) {
    if (change === undefined) continue;
    await tell([{ ...change.notice, atMs: clock.nowMs() }], [change.mark]);
    marks.set(change.mark.name, change.mark.value);
  }
}

const ARCHIVE_EVENTS = { up: "archive-back", down: "archive-down", paused: "archive-paused" } as const satisfies Record<
  string,
  NoticeEvent
>;

/** An archive that is probed after its rest is not back before it has answered. */
async function archiveChange({ conditionOf, marks }: SiteWatch, archive: string): Promise<Found | undefined> {
  const { paused, breaker } = await conditionOf(archive);
  const state = paused ? "paused" : breaker.state === "closed" ? "up" : "down";
  const name = ARCHIVE + archive;
  if (state === (marks.get(name) ?? "up")) return undefined;
  const code = breaker.state === "closed" || paused ? {} : { code: breaker.code };
  return { mark: { name, value: state }, notice: { event: ARCHIVE_EVENTS[state], facts: { archive, ...code } } };
}

async function stagingChange({ freeBytes, reserveBytes, marks }: SiteWatch): Promise<Found | undefined> {
  const free = await freeBytes();
  const state = free < reserveBytes ? "low" : "enough";
  if (state === (marks.get(STAGING) ?? "enough")) return undefined;
  const facts = {
    freeGigabytes: Math.floor(free / GIGABYTE),
    reserveGigabytes: Math.floor(reserveBytes / GIGABYTE),
    ...(state === "low" ? { code: "STAGING_FULL" } : {}),
  };
  return { mark: { name: STAGING, value: state }, notice: { event: `staging-${state}`, facts } };
}
