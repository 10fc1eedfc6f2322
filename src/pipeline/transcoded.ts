import { z } from "zod";
import type { NoteTranscoding } from "../delivery/destination.ts";
import type { DeidentifiedFile } from "../staging/deidentified-file.ts";
import { packJson, unpackJson } from "../units/packed-json.ts";
import type { StepContext } from "./step.ts";

/** Takes the account of what each destination gets in another transfer syntax. */
export type TranscodingNoter = (destination: string) => NoteTranscoding;

const shape = z.object({
  transcoded: z.array(z.looseObject({ destination: z.string(), sopInstanceUid: z.string() })),
});
type Told = z.infer<typeof shape>["transcoded"];

/** What an earlier try of the job told: what it sent is not sent again, and its account would be gone with its report. */
export async function toldBefore(
  { services, job }: Pick<StepContext, "services" | "job">,
  files: readonly DeidentifiedFile[],
): Promise<Told> {
  const kept = await services.store.studyReport(job.id, "last");
  const before = kept && shape.safeParse(await unpackJson(kept.packed)).data;
  const uids = new Set<string>(files.map(({ sopInstanceUid }) => sopInstanceUid));
  return before?.transcoded.filter(({ sopInstanceUid }) => uids.has(sopInstanceUid)) ?? [];
}

/**
 * Puts into the study's report and events what is about to be sent with other bytes than were made here: it is written down before it is sent.
 * @param report of the study, as it is kept
 * @param before of an earlier try
 */
export function transcodingNoter(
  { write }: Pick<StepContext, "write">,
  report: Readonly<Record<string, unknown>>,
  before: Told,
): TranscodingNoter {
  const told = new Map(before.map((one) => [`${one.destination} ${one.sopInstanceUid}`, one]));
  return (destination) => async (instances) => {
    for (const one of instances) told.set(`${destination} ${one.sopInstanceUid}`, { destination, ...one });
    await write({
      report: await packJson({ ...report, transcoded: [...told.values()] }),
      events: [{ event: "sending uncompressed", detail: { destination, instances: instances.length } }],
    });
  };
}
