import { z } from "zod";
import { evidenceManifestSchema } from "../src/operations/evidence/documents.ts";

/** `docs/evidence.schema.json`: the JSON Schema of the manifest of evidence. */
export function evidenceSchemaPage(): string {
  return `${JSON.stringify(z.toJSONSchema(evidenceManifestSchema, { reused: "ref" }), undefined, 2)}\n`;
}
