import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { EXPLICIT_VR_BIG_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element, sequenceElement } from "../../dicom/values.ts";
import { neverAborted } from "../../units/abort.ts";
import { createDeidentifier, type Deidentifier } from "../deidentifier.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import { type Profile, USUAL_PSEUDONYMS } from "../profiles/profile.ts";
import { projectKeyOf } from "../pseudonyms/project-key.ts";
import { compileRules } from "../rules/compiled-rules.ts";
import { ctImage, part10Bytes, put, text } from "../testing/objects.ts";

const PRESENTATION_STATE = "1.2.840.10008.5.1.4.1.1.11.1";
const ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1";
const OPTIONS = [
  ...(["basic", "clean-descriptors", "clean-graphics", "retain-institution-identity"] as const),
  ...(["retain-longitudinal-modified-dates", "retain-patient-characteristics"] as const),
];
const pseudonyms = { ...USUAL_PSEUDONYMS, birthDate: "year" } as const;
const rules = compileRules(OPTIONS, pseudonyms);
const rulesOfGe = compileRules(
  OPTIONS.filter((option) => option !== "clean-descriptors"),
  pseudonyms,
);
const profile: Profile = {
  ...{ ...loadProfile("basic"), options: OPTIONS, pseudonyms, rules },
  rulesFor: ({ manufacturer }) => (manufacturer.startsWith("GE") ? rulesOfGe : rules),
};

/** In Latin-1 a capital A with a tilde and a copyright sign, in UTF-8 an e with an accent. */
const INSTITUTION = element(tagOf(0x00080080), "LO", Buffer.from("Clinique Dupr\u00e9 "));
const smallest = (...bytes: number[]): DataElement => element(tagOf(0x00280106), "US", Uint8Array.from(bytes));
const image = (...changes: DataElement[]): DataSet => {
  const usual = [text(0x00080005, "ISO_IR 100"), INSTITUTION, text(0x0008103e, "AXIAL HEAD LUNG"), smallest(7, 1)];
  const changed = new Set(changes.map(({ tag }) => tag));
  return ctImage([...usual.filter(({ tag }) => !changed.has(tag)), ...changes]);
};
const layered = (...layers: string[]): DataSet => {
  const line = dataSetOf([text(0x00700005, "PIXEL"), text(0x00700023, "POLYLINE")]);
  const annotations = layers.map((layer) =>
    dataSetOf([text(0x00700002, layer), sequenceElement(tagOf(0x00700009), [line])]),
  );
  const known = ["FIRST", "SECOND"].map((layer, index) =>
    dataSetOf([text(0x00700002, layer), text(0x00700062, String(index + 1))]),
  );
  const state = ctImage([
    ...[text(0x00080016, PRESENTATION_STATE), text(0x00080060, "PR")],
    ...[sequenceElement(tagOf(0x00700001), annotations), sequenceElement(tagOf(0x00700060), known)],
  ]);
  return new Map([...state].filter(([tag]) => tag >>> 16 !== 0x0028 && tag !== 0x7fe00010));
};

interface Case {
  readonly before: DataSet;
  readonly after: DataSet;
  readonly transferSyntaxUid?: string;
}

/** Elements of `before` are byte for byte in `after`, and mean something else there. */
const CASES: Readonly<Record<string, Case>> = {
  "another character set": { before: image(), after: image(text(0x00080005, "ISO_IR 192")) },
  "another order of bytes": {
    before: image(),
    after: image(smallest(1, 7)),
    transferSyntaxUid: EXPLICIT_VR_BIG_ENDIAN,
  },
  "another class, to which other attributes are required": {
    before: image(),
    after: image(text(0x00080016, ENHANCED_CT)),
  },
  "another patient": { before: image(), after: image(text(0x00100020, "MRN9988776")) },
  "a patient who is called as another's description says": {
    before: image(),
    after: image(text(0x00100010, "Head^Lung")),
  },
  "a patient who is younger": {
    before: image(),
    after: image(text(0x00101010, "052Y"), text(0x00080020, "19840229")),
  },
  "another device's rules": { before: image(), after: image(text(0x00080070, "GE MEDICAL SYSTEMS")) },
  "names that were met in another order": { before: layered("FIRST", "SECOND"), after: layered("SECOND", "FIRST") },
};

it.each(Object.entries(CASES))("an object makes no difference to one that comes after it, with %s", async (_, one) => {
  const folder = await mkdtemp(join(tmpdir(), "treated-elements-"));
  try {
    const { before, after, transferSyntaxUid } = one;
    const [first, second] = [
      await put(join(folder, "first.dcm"), await part10Bytes(before)),
      await put(
        join(folder, "second.dcm"),
        await part10Bytes(after, transferSyntaxUid === undefined ? {} : { transferSyntaxUid }),
      ),
    ];
    const fresh = (): Deidentifier =>
      createDeidentifier({ profile, key: projectKeyOf(Buffer.alloc(32, 22)), filters: {} });
    const outputPath = join(folder, "out.dcm");
    const outputOf = async (engine: Deidentifier, path: string): Promise<string> => {
      const task = { path, outputPath, participantId: undefined, seriesInstanceCount: 5 };
      const outcome = await engine.instance(task, neverAborted());
      return outcome.kind === "deidentified"
        ? (await readFile(outputPath)).toString("latin1")
        : JSON.stringify(outcome);
    };
    const alone = [await outputOf(fresh(), first), await outputOf(fresh(), second)];
    const engine = fresh();
    // What is the same a second time is remembered, and recalled the third time.
    for (const path of [first, first, second, second, first, second])
      expect(await outputOf(engine, path)).toBe(path === first ? alone[0] : alone[1]);
    expect(alone[0]).not.toBe(alone[1]);
    expect(alone.map((output) => output.slice(128, 132))).toEqual(["DICM", "DICM"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
