import { z } from "zod";
import { STANDING_REASONS, STANDING_RUN_STATES } from "../../store/standing.ts";
import { code, count, nameParameter, time } from "./fields.ts";
import { searchQuery } from "./inquiry-schemas.ts";

const relativeDate = z
  .string()
  .regex(/^(?:\d{8}|today|-\d{1,4}[dw])$/, "must be YYYYMMDD, today, or days or weeks back as -7d or -2w")
  .optional();
const standingQuery = searchQuery.extend({ from: relativeDate, to: relativeDate });

const asked = {
  maximumStudies: z.int().min(1).max(500_000).optional().meta({ description: "a run that finds more is refused" }),
  yesAll: z.boolean().optional(),
  archiveCap: z.int().min(1).optional(),
};
const times = z.array(z.string().max(20)).meta({ description: "as Mon-Fri 02:00, Sun 14:30, or 02:00 for every day" });
const timeZone = z.string().max(64);

export const newStanding = z.strictObject({
  name: nameParameter,
  project: nameParameter,
  archive: nameParameter,
  queries: z.array(standingQuery).min(1).max(2_000),
  ...asked,
  times: times.min(1).max(50),
  timeZone: timeZone.optional().meta({ description: "left out: the archive's, else this machine's" }),
});

const run = z.object({
  number: count,
  state: z.enum(STANDING_RUN_STATES),
  code: code.nullable(),
  reason: z.enum(STANDING_REASONS),
  dueAt: time,
  missed: count.meta({ description: "times that passed without a run, which this one makes up for" }),
  startedAt: time,
  endedAt: time.nullable(),
  cohort: z.string().nullable().meta({ description: "null: nothing was to be fetched" }),
  found: count,
  fresh: count.meta({ description: "studies that were no jobs of the project" }),
  changed: count.meta({ description: "delivered studies of which the archive has more than before" }),
  known: count,
  refused: count,
});

export const standing = z.object({
  name: z.string(),
  project: z.string(),
  archive: z.string(),
  times,
  timeZone,
  paused: z.boolean(),
  nextRunAt: time.nullable(),
  opensAt: time.nullable().meta({ description: "when the archive may be asked after that; null: then" }),
  lastRun: run.nullable(),
});
export const standingList = z.object({ items: z.array(standing) });
export const standingDetail = standing.extend({
  wish: z.object({ queries: z.array(standingQuery), ...asked }),
  runs: z.array(run),
});
export const removedStanding = z.object({ name: z.string(), removed: z.literal(true) });
