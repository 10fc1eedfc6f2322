import { expect, it } from "vitest";
import { seededRandom } from "../units/random.ts";
import { openScanSite } from "./rehearsal.testing.ts";
import { keepSequence } from "./sequences.ts";

it.each([
  ["[VERSION]\nmajor 1\n", true],
  ["# Pulseq sequence file\n# Created by MATLAB mr toolbox\n\n[VERSION]\n", true],
  ["\r\n  # comment\r\n\r\n  [VERSION]\r\n", true],
  ["# nothing but a comment", false],
  ["PK\u0003\u0004", false],
  // Each blank line more took twice as long.
  [`${"\n".repeat(60_000)}[VERSION]\n`, true],
  [`${"\n".repeat(60_000)}no section`, false],
])("takes a Pulseq file by its first section: case %#", async (text, isTaken) => {
  await using site = await openScanSite();
  const parts = { store: site.store, clock: site.clock, random: seededRandom(1) };
  const facts = { name: "scan", description: "", sequenceType: "", tags: [], fileExtension: ".seq" };
  const keeping = keepSequence(parts, { ...facts, file: Buffer.from(text, "latin1") });
  if (isTaken) expect(await keeping).toMatchObject({ name: "scan" });
  else await expect(keeping).rejects.toMatchObject({ code: "SCAN_SEQUENCE_INVALID" });
});
