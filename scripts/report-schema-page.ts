import { z } from "zod";
import { studyFolderReportSchema } from "../src/deid/study-report-schema.ts";

/** `docs/deid-report.schema.json`: the JSON Schema of a study's report. */
export function reportSchemaPage(): string {
  return `${JSON.stringify(z.toJSONSchema(studyFolderReportSchema, { reused: "ref" }), undefined, 2)}\n`;
}
