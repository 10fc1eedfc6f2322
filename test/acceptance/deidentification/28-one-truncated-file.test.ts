import { describe, expect, it } from "vitest";
import { part10Bytes } from "../../../src/deid/testing/objects.ts";
import { deidentifiedFiles, slice, studyIdentity } from "./support/studies.ts";
import { createTokens } from "./support/tokens.ts";

const FILES = 500;
const TRUNCATED = 250;
const CUT_BYTES = 10;

describe("given 500 files of one study, one of them truncated", async () => {
  const tokens = createTokens(28);
  const study = studyIdentity(tokens);
  const files = new Map<string, Uint8Array>();
  for (let number = 1; number <= FILES; number += 1) {
    const bytes = await part10Bytes(slice(study, number, tokens));
    files.set(`${number}`, number === TRUNCATED ? bytes.subarray(0, bytes.length - CUT_BYTES) : bytes);
  }

  it("when a rejected object stops its study, which is the default, then the study is quarantined", async () => {
    const { result, files: delivered } = await deidentifiedFiles(files, { profile: "basic" });
    expect(result.studies).toEqual({ total: 1, delivered: 0, excluded: 0, quarantined: 1 });
    expect(result.instances).toMatchObject({ delivered: 0, rejected: 1, withheld: FILES - 1 });
    expect(delivered).toEqual([]);
  });

  it("when it stops itself alone (`on_reject: instance`), then 499 are delivered, and the report says so", async () => {
    const { result, files: delivered, reports } = await deidentifiedFiles(files, { profile: "research" });
    expect(result.studies).toEqual({ total: 1, delivered: 1, excluded: 0, quarantined: 0 });
    expect(delivered).toHaveLength(FILES - 1);
    expect(reports).toEqual([
      expect.objectContaining({
        outcome: "delivered",
        counts: { instances: FILES, deidentified: FILES - 1, excluded: 0, rejected: 1, failed: 1 },
        reasons: [expect.objectContaining({ code: "INSTANCE_NOT_PARSABLE", count: 1 })],
      }),
    ]);
  });
});
