import { z } from "zod";
import { nameSetting } from "../../config/scalars.ts";
import { JOB_STATES, type JobState, STAGES } from "../../store/job-states.ts";
import { ROLES } from "../../units/actor.ts";

/** Fields that several documents and parameters have. */

const JOB_STATE_NAMES = Object.keys(JOB_STATES) as [JobState, ...JobState[]];

export const jobState = z.enum(JOB_STATE_NAMES).meta({ description: "held, quarantined and all after it are done" });
export const stage = z.enum(STAGES);
export const role = z.enum(ROLES);
export const count = z.int().min(0);
/** ISO 8601, UTC. */
export const time = z.iso.datetime();
export const code = z.string().meta({ description: "a code of docs/errors.md" });
export const remedy = z.string().meta({ description: "what the operator should do" });
export const countByName = z.record(z.string(), count);
export const detail = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** Ids that the gateway makes; nothing else is looked for. */
export const idParameter = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$/, "must be an id as the gateway makes them");
export const nameParameter = nameSetting;

/** More would take the service longer than a look at a page may take: bench/RESULTS.md. */
const LARGEST_PAGE = 200;
const USUAL_PAGE = 50;
/** In a query everything is text. */
const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be from ${least} to ${most}`);

export const numberParameter = wholeNumber(1, 10 ** 15 - 1);
export const limitParameter = wholeNumber(1, LARGEST_PAGE)
  .default(USUAL_PAGE)
  .meta({ type: "integer", minimum: 1, maximum: LARGEST_PAGE, default: USUAL_PAGE });
const cursorParameter = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9._:-]+$/, "must be the next of an earlier page")
  .meta({ description: "where the page before ended: its `next`" });

export const paging = { cursor: cursorParameter.optional(), limit: limitParameter };

/** Part of a list. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    next: z.string().nullable().meta({ description: "the cursor of the next page; null: this is the last one" }),
  });
}
