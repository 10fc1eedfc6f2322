import { z } from "zod";

const shape = z.object({
  /** Tries that failed for reasons of the message's own. */
  failures: z.number().int().default(0),
  /** How often a hand-over was begun: more than once, and orthanc-anon may have been told more than once. */
  handovers: z.number().int().default(0),
  studies: z.number().int().optional(),
  instances: z.number().int().optional(),
  retrieved: z.number().int().optional(),
  outcome: z.enum(["handed-over", "kept-in-raw", "forwarded", "discarded", "parked"]).optional(),
});

/** What a stored message says of how far it came: counts and words only. */
export type Progress = z.infer<typeof shape>;

export function readProgress(text: string | undefined): Progress {
  return shape.parse(text === undefined ? {} : JSON.parse(text));
}

export function writeProgress(progress: Progress): string {
  return JSON.stringify(progress);
}
