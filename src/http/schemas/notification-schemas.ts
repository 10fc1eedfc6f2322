import { z } from "zod";
import { code, count, remedy, time } from "./fields.ts";

export const channelList = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(["mail", "webhook"]),
      events: z.array(z.string()),
      projects: z.array(z.string()).nullable().meta({ description: "null: every project" }),
      waiting: count,
      waitingSince: time.optional(),
    }),
  ),
});

/** A message that was not taken is an answer too. */
export const channelTest = z.object({
  channel: z.string(),
  ok: z.boolean(),
  milliseconds: z.number(),
  code: code.optional(),
  message: z.string().optional(),
  remedy: remedy.optional(),
});
