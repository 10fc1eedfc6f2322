import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MINUTES_MS = 60_000;

/** What a subject of the package exports at run time. */
async function namesOf(subject: string): Promise<readonly string[]> {
  return Object.keys(await import(subject === "index" ? "radferry" : `radferry/${subject}`));
}

it(
  "has a page for each subject of the package, which names all that it exports",
  async () => {
    await using folder = await temporaryFolder();
    await run(process.execPath, [join(ROOT, "scripts/reference.ts"), folder.path], { cwd: ROOT });
    const { exports }: { readonly exports: Readonly<Record<string, string>> } = JSON.parse(
      await readFile(join(ROOT, "package.json"), "utf8"),
    );
    const subjects = Object.values(exports).map((path) => path.replace(/^.*\/(\w+)\.ts$/, "$1"));
    expect(subjects).toContain("flip");
    for (const subject of subjects) {
      // The page of the whole gives way to the first page.
      const name = subject === "index" ? "index-1.html" : `${subject}.html`;
      const page = (await readFile(join(folder.path, name), "utf8")).replaceAll("<wbr/>", "");
      expect((await namesOf(subject)).filter((each) => !page.includes(`>${each}<`))).toEqual([]);
    }
  },
  10 * MINUTES_MS,
);
