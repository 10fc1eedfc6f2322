import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN } from "../dicom/dictionary/transfer-syntaxes.ts";
import { neverAborted } from "../units/abort.ts";
import { createDeidentifier } from "./deidentifier.ts";
import { loadProfile } from "./profiles/load-profile.ts";
import { projectKeyOf } from "./pseudonyms/project-key.ts";
import { ctImage, part10Bytes, put } from "./testing/objects.ts";

/** Called when a data set is about to be inflated. */
let onInflating: (() => void) | undefined;

vi.mock("../dicom/inflate.ts", async (original) => {
  const actual = await original<typeof import("../dicom/inflate.ts")>();
  const inflateSource: typeof actual.inflateSource = (...options) => {
    onInflating?.();
    return actual.inflateSource(...options);
  };
  return { ...actual, inflateSource };
});

it("of the deflated instances that a thread has under way one is in memory", async () => {
  await using folder = await temporaryFolder();
  const bytes = await part10Bytes(ctImage(), { transferSyntaxUid: DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN });
  const path = await put(join(folder.path, "in.dcm"), bytes);
  const engine = createDeidentifier({
    profile: loadProfile("basic"),
    key: projectKeyOf(Buffer.alloc(32, 21)),
    filters: {},
  });
  const outputs = ["a", "b", "c"].map((name) => join(folder.path, `${name}.dcm`));
  const doneBefore: number[] = [];
  onInflating = () => doneBefore.push(outputs.filter((output) => existsSync(output)).length);
  await Promise.all(
    outputs.map(async (outputPath) => {
      const task = { path, outputPath, participantId: undefined, seriesInstanceCount: 5 };
      expect((await engine.instance(task, neverAborted())).kind).toBe("deidentified");
    }),
  );
  expect(doneBefore).toEqual([0, 1, 2]);
});
