import type { StudyListing } from "../../src/archive/archive.ts";
import type { AvailabilityPolicy } from "../../src/archive/availability/policy.ts";
import { type HospitalStudy, hospitalStudy } from "./hospital.ts";
import type { Scheduler } from "./scheduler.ts";

/** What a seed's world is made of; everything in it was chosen by the seed. */
export interface Scene {
  readonly nodes: readonly string[];
  readonly skewsMs: readonly number[];
  readonly studies: readonly HospitalStudy[];
  /** Sent unasked, for the project; by one node alone. */
  readonly pushed: readonly HospitalStudy[];
  readonly archives: readonly {
    readonly name: string;
    readonly studies: readonly HospitalStudy[];
    readonly lists: StudyListing["kind"];
    readonly associations: number;
    readonly policy: AvailabilityPolicy;
  }[];
  readonly hasFolder: boolean;
  readonly hasRemote: boolean;
  readonly partial: "hold" | "deliver";
  readonly attempts: number;
  /** How often faults strike, in the measure of their usual probabilities. */
  readonly severity: number;
  readonly crashes: number;
  /** So long things go wrong. */
  readonly chaosMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Just before clocks go forward or back in London, midnight of a leap day, and days on which nothing is the matter. */
const STARTS = [
  "2026-03-29T00:40:00Z",
  "2026-10-25T00:10:00Z",
  "2026-10-24T23:20:00Z",
  "2028-02-28T23:50:00Z",
  "2026-06-03T10:00:00Z",
  "2026-12-31T23:55:00Z",
] as const;

const WINDOWS: readonly Pick<AvailabilityPolicy, "windows">[] = [
  { windows: undefined },
  { windows: undefined },
  { windows: ["Mon-Sun 01:30-05:00"] },
  { windows: ["Mon-Sun 20:00-01:30"] },
  { windows: ["Mon-Fri 22:00-02:15", "Sat-Sun 00:00-24:00"] },
];

export function startOf(seed: number): number {
  return Date.parse(STARTS[seed % STARTS.length] ?? STARTS[0]);
}

export function makeScene({ chance, between, pick }: Scheduler): Scene {
  const whole = (least: number, most: number): number => Math.floor(between(least, most + 1));
  const nodes = Array.from({ length: whole(1, 3) }, (_, index) => `node-${index + 1}`);
  const studies = Array.from({ length: whole(2, 4) }, (_, index) => hospitalStudy(index, whole(1, 4)));
  const pushed = nodes.length === 1 && chance(0.5) ? [hospitalStudy(90, whole(1, 3))] : [];
  const archiveNames = chance(0.4) ? ["pacs", "old-pacs"] : ["pacs"];
  const hasFolder = chance(0.7);
  return {
    nodes,
    skewsMs: nodes.map(() => (chance(0.5) ? 0 : chance(0.8) ? between(-20_000, 20_000) : between(-150_000, 150_000))),
    studies,
    pushed,
    archives: archiveNames.map((name, index) => ({
      name,
      studies: studies.filter((_, study) => study % archiveNames.length === index),
      lists: pick<StudyListing["kind"]>(["instances", "instances", "instances", "count", "unknown"]),
      associations: whole(1, 2),
      policy: {
        ...pick(WINDOWS),
        timeZone: "Europe/London",
        studiesPerMinute: chance(0.4) ? whole(1, 10) : undefined,
        bytesPerSecond: chance(0.2) ? 20_000 : undefined,
      },
    })),
    hasFolder,
    hasRemote: !hasFolder || chance(0.5),
    partial: chance(0.5) ? "hold" : "deliver",
    attempts: whole(4, 12),
    severity: pick([0.3, 1, 1, 2]),
    crashes: whole(0, 8),
    chaosMs: between(2 * MINUTE_MS, chance(0.2) ? 3 * HOUR_MS : 15 * MINUTE_MS),
  };
}
