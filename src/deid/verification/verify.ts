import { open } from "node:fs/promises";
import { isPrivate, tagOf } from "../../dicom/tag.ts";
import type { RejectionCode } from "../outcome.ts";
import type { CompiledRules } from "../rules/compiled-rules.ts";
import { checkElement, type ElementCheck, type Expectations, type SearchedAs } from "./check-element.ts";
import { checkMeta, PREFIX_BYTES } from "./check-meta.ts";
import { fold, type Harvest, type IdentifierKind } from "./harvest.ts";
import { type Needles, needlesOf } from "./needles.ts";
import { createPrivateReader, type PrivateReader } from "./private-rules.ts";
import { type FileWindow, openWindow, type Token, TokenError, tokenize } from "./tokenizer.ts";

/** What the output must be, known without the engine's filter. */
export interface VerificationTask {
  readonly outputPath: string;
  readonly rules: CompiledRules;
  readonly harvest: Harvest;
  readonly expectations: Expectations;
}

export type Verification =
  | { readonly ok: true; readonly sizeBytes: number; readonly identifiers: number }
  | { readonly ok: false; readonly code: RejectionCode; readonly reason: string };

/** Values up to here are looked at whole; longer ones pass through in pieces. */
const WHOLE_VALUE_BYTES = 2 ** 20;
/** Number strings are parsed whole, however long the engine let them be. */
const WHOLE_TEXT_BYTES = 64 * 2 ** 20;
const CHUNK_BYTES = 2 ** 20;
/** Shorter than this, chance spells an identifier in binary numbers or compressed pixels. */
const MINIMUM_HEADER_BYTES = 3;
const MINIMUM_BINARY_BYTES = 6;
const MINIMUM_COMPRESSED_BYTES = 8;
const MINIMUM_PARTICIPANT_LENGTH = 4;

/** Reads the output anew, byte by byte, with a parser of its own, and searches it for what the source told. Never answers with a value. */
export async function verifyDeidentified(task: VerificationTask): Promise<Verification> {
  await using file = await open(task.outputPath, "r");
  const window = await openWindow(file);
  const needles = needlesOf(task.harvest);
  try {
    return await verifyBytes(window, needles, task);
  } catch (thrown) {
    if (thrown instanceof TokenError) return unproven(thrown.reason);
    throw thrown;
  }
}

async function verifyBytes(window: FileWindow, needles: Needles, task: VerificationTask): Promise<Verification> {
  const namedByParticipant = identifierInPseudonym(task);
  if (namedByParticipant !== undefined) return found("(0010,0020)", namedByParticipant);
  const meta = await checkMeta(window, task.expectations);
  if (!meta.ok) return unproven(meta.reason);
  const search = createSearch(window, needles);
  await search.header(PREFIX_BYTES, meta.endOffset, meta.masked);
  const privates = createPrivateReader(task.rules.privateRules);
  for await (const token of tokenize(window, meta.endOffset, window.sizeBytes)) {
    if (token.kind === "item") continue;
    const check = await checkToken(window, token, privates, task);
    if (!check.ok) return unproven(`${check.reason} ${tagOfPath(token)}`);
    if (check.identifier !== undefined) return found(tagOfPath(token), check.identifier);
    const hit = await search.token(token, check.searched);
    if (hit !== undefined) return found(tagOfPath(token), hit);
  }
  const missing = task.expectations.required.find((tag) => !search.seenAtTop.has(tag));
  if (missing !== undefined) return unproven("required-element-missing");
  return { ok: true, sizeBytes: window.sizeBytes, identifiers: needles.count };
}

async function checkToken(
  window: FileWindow,
  token: Token,
  privates: PrivateReader,
  task: VerificationTask,
): Promise<ElementCheck> {
  const rule = task.rules.ruleOf(token.tag);
  const limit = token.vr === "DS" || token.vr === "IS" || token.vr === "UN" ? WHOLE_TEXT_BYTES : WHOLE_VALUE_BYTES;
  const isWhole = token.kind === "value" && token.length <= limit && rule.treatment.kind !== "pixels";
  const bytes = isWhole ? await window.at(token.valueOffset, token.length) : undefined;
  const privateRule = isPrivate(tagOf(token.tag)) ? privates.ruleOf(token, bytes) : undefined;
  return checkElement(token, bytes, privateRule?.rule ?? rule, task.expectations, task.harvest, privateRule?.vr);
}

interface Search {
  readonly seenAtTop: Set<number>;
  header(from: number, to: number, masked: readonly (readonly [number, number])[]): Promise<void>;
  token(token: Token, how: SearchedAs): Promise<IdentifierKind | undefined>;
}

/** Searches what is not proven to be ours: binary numbers and compressed fragments. */
function createSearch(window: FileWindow, needles: Needles): Search {
  const seenAtTop = new Set<number>();
  const searchRange = async (
    from: number,
    length: number,
    minimumBytes: number,
  ): Promise<IdentifierKind | undefined> => {
    const overlap = needles.longestBytes;
    for (let at = 0; at < length; at += CHUNK_BYTES) {
      const size = Math.min(length - at, CHUNK_BYTES + overlap);
      const hit = needles.find(await window.at(from + at, size), minimumBytes);
      if (hit !== undefined) return hit;
    }
    return undefined;
  };
  return {
    seenAtTop,
    async header(from, to, masked) {
      const bytes = Buffer.from(await window.at(from, to - from));
      for (const [start, end] of masked) bytes.fill(0, start - from, end - from);
      if (needles.find(bytes, MINIMUM_HEADER_BYTES) !== undefined) throw new TokenError("identifier-in-file-meta");
    },
    async token(token, how) {
      if (token.parentTag === 0) seenAtTop.add(token.tag);
      if (how === "masked") return undefined;
      const minimum = how === "binary" ? MINIMUM_BINARY_BYTES : MINIMUM_COMPRESSED_BYTES;
      return searchRange(token.valueOffset, token.length, minimum);
    },
  };
}

/** A participant id that is the patient's own identifier would undo everything else. */
function identifierInPseudonym({ expectations, harvest }: VerificationTask): IdentifierKind | undefined {
  if (!expectations.pseudonymIsGiven) return undefined;
  const pseudonym = fold(expectations.pseudonym);
  for (const [identifier, kind] of harvest.identifiers) {
    const matters = kind === "id" || kind === "name";
    if (matters && identifier.length >= MINIMUM_PARTICIPANT_LENGTH && pseudonym.includes(identifier)) return kind;
  }
  return undefined;
}

/** The tag alone: where in which item is of no use to an operator. */
function tagOfPath(token: Token): string {
  const hex = token.tag.toString(16).toUpperCase().padStart(8, "0");
  return `(${hex.slice(0, 4)},${hex.slice(4)})`;
}

function unproven(reason: string): Verification {
  return { ok: false, code: "DEIDENTIFICATION_UNPROVEN", reason };
}

function found(tag: string, kind: IdentifierKind): Verification {
  return { ok: false, code: "IDENTIFIER_FOUND", reason: `${kind} in ${tag}` };
}
