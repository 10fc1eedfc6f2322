import { z } from "zod";
import { studyReportSchema } from "../src/deid/study-report-schema.ts";

/** `docs/deid-report.schema.json`: the JSON Schema of a study's report. */
export function reportSchemaPage(): string {
  return `${JSON.stringify(z.toJSONSchema(studyReportSchema), undefined, 2)}\n`;
}
