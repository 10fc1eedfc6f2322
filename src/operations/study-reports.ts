import type { z } from "zod";
import { studyReportSchema } from "../deid/study-report-schema.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { Store } from "../store/store.ts";
import { unpackJson } from "../units/packed-json.ts";

/** The report of a study's de-identification, with the files that came of it; no receipt. */
export type KeptReport = z.infer<typeof studyReportSchema>;

/**
 * What was done to a study. `last`: the last time, whatever came of it; `delivered`: what its destinations confirmed. Undefined: nothing yet,
 * or before reports were kept.
 * @throws GatewayError JOB_NOT_FOUND, STORE_DAMAGED
 */
export async function keptReportOf(
  store: Pick<Store, "studyReport">,
  job: string,
  which: "last" | "delivered",
): Promise<KeptReport | undefined> {
  const kept = await store.studyReport(job, which);
  if (kept === undefined) return undefined;
  const value = await unpackJson(kept.packed).catch((thrown: unknown) => {
    throw new GatewayError("STORE_DAMAGED", {}, thrown);
  });
  const report = studyReportSchema.safeParse(value);
  if (!report.success) throw new GatewayError("STORE_DAMAGED", {}, report.error);
  return report.data;
}
