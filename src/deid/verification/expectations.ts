import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { uidOf } from "../../dicom/values.ts";
import { fileMetaOf } from "../../dicom/writer.ts";
import type { ComposedOutput } from "../engine/compose-output.ts";
import { markTexts } from "../engine/marks.ts";
import type { SourceCopy } from "../engine/output-file.ts";
import { contentModeOf } from "../engine/structured-policy.ts";
import { OPTIONS } from "../profiles/options.ts";
import type { Profile } from "../profiles/profile.ts";
import { expectedIdentifiers } from "../pseudonyms/expected-identifiers.ts";
import type { CompiledRules } from "../rules/compiled-rules.ts";
import type { CopiedBytes } from "./check-copied.ts";
import type { Expectations } from "./check-element.ts";
import type { Harvest } from "./harvest.ts";
import { retainedKinds } from "./identifier-kinds.ts";

/** SOP Class, SOP Instance, Study and Series Instance UID, patient, and the marks of PS3.15 E.1.1. */
const REQUIRED = [
  0x00080016, 0x00080018, 0x0020000d, 0x0020000e, 0x00100010, 0x00100020, 0x00120062, 0x00120063, 0x00120064,
  0x00280303,
] as const;

/** Longitudinal Temporal Information Modified: which of them, the options say that are claimed beside it. */
const DATES_MARKS = [0x00280303, ["UNMODIFIED", "MODIFIED", "REMOVED"]] as const;

const PIXEL_DATA = 0x7fe00010;

/** What the output must be: from the source's harvest and the profile, not from what the filter did. */
export function expectationsOf(
  output: ComposedOutput,
  harvest: Harvest,
  engine: { readonly profile: Profile },
  source: DataSet,
  copies: readonly SourceCopy[] = [],
): Expectations {
  const { uid, patientIsGiven, patientText } = output.pseudonyms;
  const { profile } = engine;
  const sopClassUid = uidOf(source, tags.SOPClassUID) ?? "";
  const uids = new Set([...harvest.uids, "dummy"].map(uid));
  const sopInstanceUid = uidOf(source, tags.SOPInstanceUID) ?? "";
  const meta = fileMetaOf({
    sopClassUid,
    sopInstanceUid: profile.options.includes("retain-uids") ? sopInstanceUid : uid(sopInstanceUid),
    transferSyntaxUid: output.transferSyntaxUid,
  });
  return {
    meta: new Map(
      [...meta.values()].map((element) => [
        element.tag,
        element.value.kind === "bytes" ? bufferOf(element.value.bytes) : NO_BYTES,
      ]),
    ),
    ...ofProfile(profile),
    pseudonym: patientText,
    pseudonymIsGiven: patientIsGiven,
    identifiers: expectedIdentifiers(source, output.pseudonyms, profile),
    uids,
    claim: {
      options: profile.options,
      isMasked: output.mask !== undefined,
      isContentCleaned: contentModeOf(sopClassUid, profile) === "clean",
      mayKeepDates: profile.rules.keepsDates,
      uids,
    },
    required: [
      ...REQUIRED,
      ...(output.mask === undefined ? [] : [PIXEL_DATA]),
      ...output.written.map(({ tag }) => tag),
    ],
    pixelBytes: output.pixelBytes,
    mask: output.mask,
    copiedPixels: copiedPixels(output, source, copies),
    written: new Map(
      output.written.map(({ tag, value }) => [tag, Buffer.from(value.kind === "bytes" ? value.bytes : [])]),
    ),
  };
}

const NO_BYTES = Buffer.alloc(0);

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

type OfProfile = Pick<Expectations, "marks" | "optionCodes" | "retained">;

interface KnownProfile {
  readonly profile: Pick<Profile, "name" | "hash" | "options">;
  readonly expected: OfProfile;
}

const knownProfiles = new WeakMap<CompiledRules, KnownProfile>();

/** The same objects for the same profile: a device may have rules of its own in it. */
function ofProfile({ name, hash, options, rules }: Profile): OfProfile {
  const known = knownProfiles.get(rules);
  if (known?.profile.name === name && known.profile.hash === hash && known.profile.options === options)
    return known.expected;
  const claimable = [...options, "clean-pixel-data" as const].map((option) => OPTIONS[option]);
  const marks = new Map<number, readonly string[]>([DATES_MARKS]);
  for (const [tag, text] of markTexts({ name, hash })) marks.set(tag, [text]);
  const optionCodes = new Set(claimable.flatMap(({ code, meaning }) => [code, meaning]));
  const expected = { marks, optionCodes, retained: retainedKinds(options) };
  knownProfiles.set(rules, { profile: { name, hash, options }, expected });
  return expected;
}

/** Pixels that nothing was done to: neither masked, nor cleared of unused bits, nor turned round. Compressed ones are searched. */
function copiedPixels(
  { dataSet, source }: ComposedOutput,
  original: DataSet,
  copies: readonly SourceCopy[],
): CopiedBytes | undefined {
  const before = original.get(tags.PixelData)?.value;
  const after = dataSet.get(tags.PixelData)?.value;
  if (before?.kind !== "range" || after?.kind !== "range" || before.range.offset !== after.range.offset)
    return undefined;
  const { offset } = before.range;
  const { length } = after.range;
  const copy = copies.find((each) => each.offset <= offset && each.offset + each.bytes.length >= offset + length);
  const held = copy?.bytes.subarray(offset - copy.offset, offset - copy.offset + length);
  return { source, offset, length, held };
}
