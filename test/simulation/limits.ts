import { Violation } from "./invariants.ts";
import type { Scene } from "./scene.ts";
import type { Life, Scheduler } from "./scheduler.ts";
import type { ArchiveCallEvent } from "./simulated-archive.ts";

/** From an admission to the call that it admits: a wait in place for a turn, and slow answers of the store. */
const ADMITTED_MS = 30_000;
/** One at the window's edge, and one whose turn was told by a slow store. */
const LATE_STUDIES = 2;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const MINUTES_OF_DAY = 1_440;
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

export interface LimitsWatch {
  onArchiveCall(call: ArchiveCallEvent): void;
  onStudy(archive: string): void;
  /** @throws Violation */
  check(): void;
}

export function watchLimits(scene: Scene, scheduler: Scheduler, lifeOf: (node: string) => Life): LimitsWatch {
  const begun = new Map<string, number[]>();
  let failure: Violation | undefined;
  const fail = (what: string): void => {
    failure ??= new Violation("within limits", what);
  };
  return {
    onArchiveCall({ archive: name, node, kind, underWay }) {
      const archive = scene.archives.find((each) => each.name === name);
      if (archive === undefined) return;
      const { windows } = archive.policy;
      if (underWay > archive.associations) fail(`${name} was asked ${underWay} things at once by ${node}`);
      const byNode = scheduler.nowMs + lifeOf(node).skewMs;
      const isOpen = windows === undefined || isOpenAround(windows, byNode);
      if (!isOpen) fail(`${name} was asked (${kind}) outside of its windows at ${new Date(byNode).toISOString()}`);
    },
    onStudy(name) {
      const { studiesPerMinute } = scene.archives.find((each) => each.name === name)?.policy ?? {};
      if (studiesPerMinute === undefined) return;
      const starts = [...(begun.get(name) ?? []), scheduler.nowMs].filter((atMs) => atMs > scheduler.nowMs - MINUTE_MS);
      begun.set(name, starts);
      if (starts.length > studiesPerMinute + LATE_STUDIES)
        fail(`${name} was asked for ${starts.length} studies in a minute`);
    },
    check() {
      if (failure !== undefined) throw failure;
    },
  };
}

function isOpenAround(windows: readonly string[], atMs: number): boolean {
  for (let backMs = 0; backMs <= ADMITTED_MS; backMs += ADMITTED_MS / 3)
    if (isOpenAt(windows, atMs - backMs)) return true;
  return false;
}

/** By the wall clock in London, and by what it would show without a change within the last hours: a window goes on through one. */
function isOpenAt(windows: readonly string[], atMs: number): boolean {
  const offsets = new Set([0, 1, 2, 5].map((hours) => offsetMs(atMs - hours * HOUR_MS)));
  return [...offsets].some((offset) => windows.some((window) => shows(window, atMs + offset)));
}

/** Of London: an hour from the last Sunday of March, 01:00 UTC, to that of October. */
function offsetMs(atMs: number): number {
  const year = new Date(atMs).getUTCFullYear();
  const changeIn = (month: number): number => {
    const last = new Date(Date.UTC(year, month + 1, 0, 1));
    return last.getTime() - last.getUTCDay() * 24 * HOUR_MS;
  };
  return atMs >= changeIn(2) && atMs < changeIn(9) ? HOUR_MS : 0;
}

function shows(window: string, localMs: number): boolean {
  const {
    first = "",
    last = first,
    begin = "",
    end = "",
  } = /^(?<first>\w{3})(?:-(?<last>\w{3}))? (?<begin>[\d:]+)-(?<end>[\d:]+)$/.exec(window)?.groups ?? {};
  const minutesOf = (text: string): number => {
    const [hours = 0, minutes = 0] = text.split(":").map(Number);
    return hours * 60 + minutes;
  };
  const local = new Date(localMs);
  const minute = local.getUTCHours() * 60 + local.getUTCMinutes();
  const day = (local.getUTCDay() + 6) % 7;
  const isDay = (which: number): boolean => {
    const [from, to] = [DAYS.indexOf(first), DAYS.indexOf(last)];
    return from <= to ? from <= which && which <= to : which >= from || which <= to;
  };
  const [from, to] = [minutesOf(begin), minutesOf(end)];
  if (from < to) return isDay(day) && from <= minute && minute < Math.max(to, from);
  return (isDay(day) && minute >= from && minute < MINUTES_OF_DAY) || (isDay((day + 6) % 7) && minute < to);
}
