import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { writeWhole } from "../../dicom/file-output.ts";
import { isPrivate, tagOf } from "../../dicom/tag.ts";
import { encodePreambleAndMeta, fileMetaOf } from "../../dicom/writer.ts";
import { type DeidentifiedFile, declareDeidentified } from "../../staging/deidentified-file.ts";
import type { CompiledRules } from "../rules/compiled-rules.ts";
import type { Treatment } from "../rules/rule.ts";
import { type FileWindow, openWindow } from "./file-window.ts";
import { CHUNK_BYTES, type Piece } from "./pieces.ts";
import type { StudySearch } from "./study-verification.ts";
import { pathOf, placeOf, type Token, TokenError, tokenize } from "./tokenizer.ts";

/** What a program outside made of one verified copy, and the copy. */
export interface ReplacementTask {
  readonly copy: DeidentifiedFile;
  readonly path: string;
  /** Where the instance to deliver goes; one that is there is replaced. */
  readonly outputPath: string;
  readonly rules: CompiledRules;
  readonly search: StudySearch;
}

export type ReplacementVerdict =
  | { readonly kind: "accepted"; readonly file: DeidentifiedFile }
  /** `reason` is a word, with a place where one is to blame; it holds no value. */
  | { readonly kind: "refused"; readonly reason: string };

const EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1";
const PREFIX_BYTES = 128 + 4 + 12;
/** PS3.5 9.1. */
const LONGEST_UID_BYTES = 64;
const PIXEL_DATA = 0x7fe00010;
/** Values up to here are compared and searched whole. */
const WHOLE_VALUE_BYTES = 2 ** 20;

/**
 * What must stand in a replacement as it stands in the copy: character set, class, UIDs, patient, and the marks of de-identification.
 * PS3.15 E.1.1.
 */
const FIXED = [
  0x00080005, 0x00080016, 0x00080018, 0x00100010, 0x00100020, 0x00120062, 0x00120063, 0x00120064, 0x0020000d,
  0x0020000e, 0x00280303,
] as const;

/** Elements that the profile treats so may come out otherwise, when they hold no identifier. All others stay as they are, or go. */
const ALTERABLE: ReadonlySet<Treatment["kind"]> = new Set([
  ...(["number", "terms", "text", "as-is", "clean", "pixels", "words", "walk", "round", "numbered", "code"] as const),
]);

const TEXT_VRS = new Set("AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UR UT".split(" "));

const TRANSFER_SYNTAX_UID = 0x00020010;

class Refused extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * Whether the file may be delivered in the place of the copy: the same instance of the same patient, in which nothing but pixels and elements that
 * the profile keeps differs from the copy, and nothing that differs holds an identifier of the study. Preamble and file meta information are
 * written anew: of those of the program's, whatever they hold, none leaves.
 */
export async function verifyReplacement(task: ReplacementTask, signal: AbortSignal): Promise<ReplacementVerdict> {
  try {
    const before = await valuesOf(task.copy.path);
    const { pieces, transferSyntaxUid, startOffset } = await differences(task, before);
    const [hit] = await task.search([{ outputPath: task.path, inFile: pieces }], signal);
    if (hit !== undefined) return { kind: "refused", reason: `identifier: ${hit.reason}` };
    const written = await writeAnew(task, { transferSyntaxUid, startOffset }, signal);
    const facts = { ...task.copy, transferSyntaxUid, path: task.outputPath, ...written };
    return { kind: "accepted", file: declareDeidentified(facts) };
  } catch (thrown) {
    if (thrown instanceof Refused || thrown instanceof TokenError) return { kind: "refused", reason: thrown.reason };
    if (thrown instanceof RangeError) return { kind: "refused", reason: "too-many-identifiers" };
    throw thrown;
  }
}

/** The gateway's own beginning, and the program's data set behind it. */
async function writeAnew(
  { copy, path, outputPath }: ReplacementTask,
  { transferSyntaxUid, startOffset }: { readonly transferSyntaxUid: string; readonly startOffset: number },
  signal: AbortSignal,
): Promise<{ readonly sizeBytes: number; readonly sha256: string }> {
  const { sopClassUid, sopInstanceUid } = copy;
  const hash = createHash("sha256");
  let sizeBytes = 0;
  async function* pieces(): AsyncGenerator<readonly Uint8Array[]> {
    yield counted(encodePreambleAndMeta(fileMetaOf({ sopClassUid, sopInstanceUid, transferSyntaxUid })));
    // Opened where its errors are listened to from the first: one that nobody hears ends the process.
    const body = createReadStream(path, { start: startOffset, highWaterMark: CHUNK_BYTES, signal });
    for await (const chunk of body) yield counted(chunk);
  }
  const counted = (piece: Uint8Array): readonly Uint8Array[] => {
    hash.update(piece);
    sizeBytes += piece.length;
    return [piece];
  };
  await writeWhole(outputPath, pieces(), {});
  return { sizeBytes, sha256: hash.digest("hex") };
}

/** VR and value, or its sum where it is long, by path; without pixel data. */
type Values = ReadonlyMap<string, string>;

async function valuesOf(path: string): Promise<Values> {
  await using window = await openWindow(path);
  const { endOffset } = await readMeta(window);
  const elements = new Map<string, string>();
  for (const token of tokenize(window, endOffset, window.sizeBytes)) {
    if (token.kind === "need") await window.load(token.offset, token.length);
    else if (token.kind === "value" && !isPixelData(token)) elements.set(pathOf(token), await valueIn(window, token));
  }
  return elements;
}

async function readMeta(window: FileWindow) {
  const prefix = await window.load(0, PREFIX_BYTES);
  if (prefix.toString("latin1", 128, 132) !== "DICM") throw new Refused("magic");
  // (0002,0000) UL, length 4.
  if (prefix.toString("hex", 132, 140) !== "02000000554c0400") throw new Refused("meta-group-length");
  const endOffset = PREFIX_BYTES + prefix.readUInt32LE(140);
  if (endOffset > window.sizeBytes) throw new Refused("meta-group-length");
  let transferSyntaxUid = "";
  for (const token of tokenize(window, PREFIX_BYTES, endOffset)) {
    if (token.kind === "need") await window.load(token.offset, token.length);
    else if (token.tag === TRANSFER_SYNTAX_UID && token.length <= LONGEST_UID_BYTES)
      transferSyntaxUid = (await window.load(token.valueOffset, token.length)).toString("latin1").replace(/\0$/, "");
  }
  return { transferSyntaxUid, endOffset };
}

function isPixelData({ tag, parentTag, kind }: Token): boolean {
  return tag === PIXEL_DATA && (parentTag === 0 || kind === "fragment");
}

async function valueIn(window: FileWindow, { vr, valueOffset, length }: Token): Promise<string> {
  if (length <= WHOLE_VALUE_BYTES) return `${vr} ${(await window.load(valueOffset, length)).toString("latin1")}`;
  const hash = createHash("sha256");
  for (let at = 0; at < length; at += CHUNK_BYTES)
    hash.update(await window.load(valueOffset + at, Math.min(CHUNK_BYTES, length - at)));
  return `${vr} ${hash.digest("hex")}`;
}

/** What has to be searched. @throws Refused, TokenError */
async function differences({ path, copy, rules }: ReplacementTask, before: Values) {
  await using window = await openWindow(path);
  const { transferSyntaxUid, endOffset } = await readMeta(window);
  if (transferSyntaxUid !== EXPLICIT_LITTLE_ENDIAN && transferSyntaxUid !== copy.transferSyntaxUid)
    throw new Refused("transfer-syntax");
  const pieces: Piece[] = [];
  const seen = new Set<string>();
  for (const token of tokenize(window, endOffset, window.sizeBytes)) {
    if (token.kind === "need") {
      await window.load(token.offset, token.length);
      continue;
    }
    seen.add(pathOf(token));
    if (token.kind === "fragment" || (token.kind === "value" && isPixelData(token))) pieces.push(pixelPiece(token));
    if (token.kind !== "value" || isPixelData(token)) continue;
    if ((await valueIn(window, token)) === before.get(pathOf(token))) continue;
    if (!mayDiffer(token, rules)) throw new Refused(`element-changed ${placeOf(token)}`);
    pieces.push(await changedPiece(window, token));
  }
  const lost = FIXED.map(hexOf).find((tag) => before.has(tag) && !seen.has(tag));
  if (lost !== undefined) throw new Refused("required-element-missing");
  return { pieces, transferSyntaxUid, startOffset: endOffset };
}

function mayDiffer({ tag, within }: Token, rules: CompiledRules): boolean {
  const isFixed = within.length === 0 && FIXED.some((each) => each === tag);
  const isForeign = [...within, tag].some((each) => isPrivate(tagOf(each)));
  return !isFixed && !isForeign && ALTERABLE.has(rules.ruleOf(tag, within).treatment.kind);
}

function pixelPiece(token: Token): Piece {
  const how = token.kind === "fragment" ? "compressed" : "binary";
  return { place: placeOf(token), how, bytes: undefined, offset: token.valueOffset, length: token.length };
}

async function changedPiece(window: FileWindow, token: Token): Promise<Piece> {
  const isText = TEXT_VRS.has(token.vr);
  const isLong = token.length > WHOLE_VALUE_BYTES;
  if (isText && isLong) throw new Refused(`too-long ${placeOf(token)}`);
  const bytes = isLong ? undefined : Buffer.from(await window.load(token.valueOffset, token.length));
  const { valueOffset: offset, length } = token;
  return { place: placeOf(token), how: isText ? "text" : "binary", bytes, offset, length };
}

function hexOf(tag: number): string {
  return tag.toString(16).toUpperCase().padStart(8, "0");
}
