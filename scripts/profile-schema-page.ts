import { profileSchema } from "../src/deid/profiles/profile-document.ts";

/** `docs/profile.schema.json`: the JSON Schema of a profile's file, for editors. */
export function profileSchemaPage(): string {
  return `${JSON.stringify(profileSchema(), undefined, 2)}\n`;
}
