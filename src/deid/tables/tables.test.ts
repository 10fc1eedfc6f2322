import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { standardVr } from "../rules/standard-vr.ts";
import { CODE_FORMS, CODE_MEANINGS } from "./code-schemes.ts";
import { CONFIDENTIALITY_TABLE } from "./confidentiality-table.generated.ts";
import { EXTRA_TERMS } from "./extra-terms.ts";
import { SAFE_SEQUENCES } from "./safe-sequences.generated.ts";
import { TEXT_FORMS } from "./text-forms.ts";

it("are what the script makes of the data", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tables-"));
  try {
    const script = join(import.meta.dirname, "../../../scripts/generate-deid-tables.ts");
    await promisify(execFile)(process.execPath, [script, folder]);
    for (const name of await readdir(folder)) {
      expect(await readFile(join(folder, name), "utf8"), name).toBe(
        await readFile(join(import.meta.dirname, name), "utf8"),
      );
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

it("hold every exact row of PS3.15 Table E.1-1", () => {
  expect(CONFIDENTIALITY_TABLE).toHaveLength(652);
});

it("speak of attributes that PS3.6 has, in their VR", () => {
  for (const tag of SAFE_SEQUENCES) expect(standardVr(tag)).toBe("SQ");
  for (const tag of Object.keys(EXTRA_TERMS)) expect(standardVr(Number.parseInt(tag, 16)), tag).toBe("CS");
  for (const tag of TEXT_FORMS.keys()) expect(["LO", "SH", "CS"], tag.toString(16)).toContain(standardVr(tag));
});

it("give every known code meaning to a code of its scheme's form", () => {
  for (const key of CODE_MEANINGS.keys()) {
    const [value = "", scheme = ""] = key.split(" ");
    expect(CODE_FORMS.get(scheme)?.test(value), key).toBe(true);
  }
});
