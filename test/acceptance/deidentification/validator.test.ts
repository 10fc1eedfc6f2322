import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { USUAL_PIXELS } from "../../../src/deid/pixels/pixel-settings.ts";
import { explainAttribute } from "../../../src/deid/profiles/explain.ts";
import { loadProfile, loadProfileDocument } from "../../../src/deid/profiles/load-profile.ts";
import type { Profile } from "../../../src/deid/profiles/profile.ts";
import { profileWith } from "../../../src/deid/testing/deidentify.ts";
import { ctImage, part10Bytes, put, text } from "../../../src/deid/testing/objects.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import { dataSetOf, sequenceElement } from "../../../src/dicom/values.ts";
import { findCorpus } from "../../peers/corpus.ts";
import { newDciodvfyErrors } from "../../peers/dciodvfy.ts";
import { requirePeer } from "../../peers/require-peer.ts";
import { syntheticStudy } from "../../peers/synthetic-studies.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import {
  corpusObjectsByKind,
  madeUpObjects,
  VALIDATED_PROFILES,
  type ValidatedObject,
  validateOutputs,
} from "../../support/validated-objects.ts";
import { deidentify } from "./support/engine.ts";

const corpus = findCorpus();
/** `npm run long` takes larger ones, all of them, and all profiles. */
const KINDS = { perClass: 1, largestBytes: 400_000 };
const PROFILES = VALIDATED_PROFILES.filter((name) => name !== "basic, masked");

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let objects: readonly ValidatedObject[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  objects = [
    ...(await madeUpObjects(folder.path)),
    ...(corpus === undefined ? [] : await corpusObjectsByKind(corpus, KINDS)),
  ];
});
afterAll(() => folder[Symbol.asyncDispose]());

/** No output has an exception here: what dciodvfy holds against it, it held against its source. */
describe.skipIf(!requirePeer("dciodvfy"))("objects of every modality and SOP class", () => {
  it.each(PROFILES)(
    "have no error of dciodvfy that they came without: %s",
    async (profile) => {
      const { outputs, added } = await validateOutputs(profile, objects, folder.path);
      expect(added).toEqual([]);
      expect(outputs).toBeGreaterThan(profile.endsWith("masked") ? 15 : 24);
    },
    60_000,
  );
});

describe.skipIf(!requirePeer("dciodvfy"))("what a validator may say after all", () => {
  const added = async (source: Buffer, profile: Profile): Promise<readonly string[]> => {
    const { bytes, outcome } = await deidentify(source, profile);
    expect(outcome.kind === "rejected" ? outcome.reason : outcome.kind).toBe("deidentified");
    const before = await put(join(folder.path, "before.dcm"), source);
    return newDciodvfyErrors(before, await put(join(folder.path, "after.dcm"), bytes));
  };

  it("an emptied Source Image Sequence of Type 2C, which C.8.17.2 allows and C.12.4, read alone, does not", async () => {
    const photograph = ctImage([
      ...[text(0x00080016, "1.2.840.10008.5.1.4.1.1.77.1.5.1"), text(0x00080060, "OP")],
      text(0x00080008, "DERIVED\\PRIMARY\\MONTAGE"),
      sequenceElement(tagOf(0x00082112), [
        dataSetOf([
          text(0x00081150, "1.2.840.10008.5.1.4.1.1.77.1.5.1"),
          text(0x00081155, "1.2.826.0.1.3680043.9.7.8"),
        ]),
      ]),
    ]);
    const profile = profileWith([], { pixels: { ...USUAL_PIXELS, allow: ["OP"] } });
    expect(await added(await part10Bytes(photograph), profile)).toEqual([
      "Error - Bad Sequence number of Items 0 (1-n Required by Module definition) Element=<SourceImageSequence> Module=<GeneralReference>",
      "Error - Bad attribute Value Multiplicity Type 3 Optional Element=<SourceImageSequence> Module=<GeneralReference>",
    ]);
  });

  /** PIXL's day for all dates: a year that dciodvfy does not count as one. */
  const PIXL_DATES =
    /\(0x(?:0008,0x0020|0010,0x0030)\) DA|^Error - Dicom dataset contains invalid data values for Value/;

  it.each(["CT", "MR", "PT"] as const)(
    "the absence from %s of attributes that PIXL's own list does not name, and the day that stands for its dates",
    async (modality) => {
      const [{ file } = { file: Buffer.alloc(0) }] = syntheticStudy({ seed: 44, modality }).instances;
      const document = loadProfileDocument("pixl");
      const errors = await added(Buffer.from(file), loadProfile("pixl"));
      expect(errors.length).toBeGreaterThan(0);
      for (const error of errors) {
        const [, keyword] = /^Error - Missing attribute Type .* Element=<(\w+)>/.exec(error) ?? [];
        if (keyword === undefined) expect(error).toMatch(PIXL_DATES);
        else expect(explainAttribute(document, keyword).action, keyword).toBe("removed");
      }
    },
  );
});
