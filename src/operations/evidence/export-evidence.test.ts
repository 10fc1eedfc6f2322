import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { readZipDirectory } from "../../network/zip/zip-directory.ts";
import { createManualClock } from "../../units/manual-clock.testing.ts";
import type { OperationsContext } from "../context.ts";
import { exportEvidence } from "./export-evidence.ts";
import { verifyEvidence } from "./verify-evidence.ts";

/** A cohort of rows that were all refused. */
function contextOf(folder: string, rows: number): OperationsContext {
  const store = {
    cohortStatus: async () => ({ project: "lung" }),
    auditHeads: async () => [],
    listJobs: async () => [],
    async exportRows(_: string, { afterRow, limit }: { readonly afterRow: number; readonly limit: number }) {
      const length = Math.min(limit, rows - afterRow);
      return Array.from({ length }, (_, index) => ({
        rowNumber: afterRow + index + 1,
        refusedCode: "KEY_MISSING",
        jobs: [],
      }));
    },
  };
  const evidence = { keyFile: join(folder, "keys", "evidence.pem"), version: "0" };
  const audit = { record: async () => undefined };
  return { store, evidence, audit, clock: createManualClock() } as unknown as OperationsContext;
}

/** How many, each of them JSON. */
function linesOf(content: Buffer): number {
  const lines = content.toString("utf8").replace(/\n$/, "").split("\n");
  for (const line of lines) JSON.parse(line);
  return lines.length;
}

it.each([
  [0, []],
  [1, [1]],
  [5_000, [5_000]],
  [5_001, [5_000, 1]],
])("writes a line for each of %i rows, and nothing else", async (rows, lines) => {
  await using folder = await temporaryFolder();
  const zip = Buffer.concat(await Array.fromAsync(exportEvidence(contextOf(folder.path, rows), "c1")));
  const file = join(folder.path, "evidence.zip");
  await writeFile(file, zip);
  const entries = await readZipDirectory({ sizeBytes: zip.length, readFrom: async (start) => zip.subarray(start) });
  const written = entries?.flatMap(({ name, start, sizeBytes }) =>
    name.startsWith("rows/") ? [linesOf(zip.subarray(start, start + sizeBytes))] : [],
  );
  expect(written).toEqual(lines);
  expect(await verifyEvidence(file)).toMatchObject({ ok: true, manifest: { rows } });
});
