import { isPrivate, tagOf } from "../../dicom/tag.ts";
import type { RejectionCode } from "../outcome.ts";
import type { CompiledRules } from "../rules/compiled-rules.ts";
import type { Rule } from "../rules/rule.ts";
import { type ClaimReader, createClaimReader } from "./check-claim.ts";
import { type ConceptReader, createConceptReader } from "./check-concepts.ts";
import { isCopied } from "./check-copied.ts";
import { createDummyReader, type DummyReader } from "./check-dummies.ts";
import { checkElement, type Expectations } from "./check-element.ts";
import { isMasked } from "./check-mask.ts";
import { checkMeta } from "./check-meta.ts";
import { createEvidence, type Evidence, type EvidenceCollector } from "./evidence.ts";
import { type FileWindow, openWindow, type WindowOptions } from "./file-window.ts";
import type { Harvest } from "./harvest.ts";
import { createVerdictMemory, type KnownVerdicts, type VerdictMemory } from "./known-verdicts.ts";
import { createIdentifiers, eachIdentifier, type Identifiers } from "./needles.ts";
import { searchPieces } from "./pieces.ts";
import { createPrivateReader, type PrivateReader } from "./private-rules.ts";
import { placeOf, type Token, TokenError, tokenize } from "./tokenizer.ts";

/** What the output must be, known without the engine's filter. */
export interface VerificationTask {
  readonly outputPath: string;
  readonly rules: CompiledRules;
  readonly harvest: Harvest;
  readonly expectations: Expectations;
  /** Of other outputs. @default none */
  readonly verdicts?: VerdictMemory;
  /** How the output is read. */
  readonly reading?: ReadingOptions;
}

export interface ReadingOptions extends WindowOptions {
  /** For what the output is compared with. @default new memory */
  readonly spare?: Buffer;
}

export interface Unverified {
  readonly ok: false;
  readonly code: RejectionCode;
  readonly reason: string;
}

export type Verification = { readonly ok: true; readonly sizeBytes: number; readonly identifiers: number } | Unverified;

export type Inspection = { readonly ok: true; readonly sizeBytes: number; readonly evidence: Evidence } | Unverified;

/** Values up to here are looked at whole; longer ones pass through in pieces. */
const WHOLE_VALUE_BYTES = 2 ** 20;
/** Number strings are parsed whole, however long the engine let them be. */
const WHOLE_TEXT_BYTES = 64 * 2 ** 20;
const PIXEL_DATA = 0x7fe00010;
/** De-identification Method Code Sequence. */
const METHOD_CODES = 0x00120064;

/** Reads the output anew, byte by byte, with a parser of its own, and searches it for what its source told. Never answers with a value. */
export async function verifyDeidentified(task: VerificationTask): Promise<Verification> {
  const inspection = await inspectOutput(task);
  if (!inspection.ok) return inspection;
  try {
    const identifiers = createIdentifiers();
    eachIdentifier(task.harvest, task.expectations.retained, identifiers.add);
    const hit = await searchOutput(task.outputPath, inspection.evidence, identifiers);
    return hit ?? { ok: true, sizeBytes: inspection.sizeBytes, identifiers: identifiers.count };
  } catch (thrown) {
    return unprovenBy(thrown);
  }
}

/** Everything that needs no search: what the output is made of, and what of it is yet to be searched. */
export async function inspectOutput(task: VerificationTask): Promise<Inspection> {
  const { spare, ...reading } = task.reading ?? {};
  await using window = await openWindow(task.outputPath, reading);
  try {
    return await inspectBytes(window, task, spare);
  } catch (thrown) {
    return unprovenBy(thrown);
  }
}

/**
 * What of the identifiers an inspected output holds; undefined: none.
 * @throws RangeError when there are too many identifiers
 */
async function searchOutput(
  outputPath: string,
  evidence: Evidence,
  identifiers: Identifiers,
): Promise<Unverified | undefined> {
  await using opened = new AsyncDisposableStack();
  let window: FileWindow | undefined;
  const hit = await searchPieces(evidence.pieces, identifiers, async () => {
    window ??= opened.use(await openWindow(outputPath));
    return window;
  });
  return hit === undefined ? undefined : { ok: false, code: "IDENTIFIER_FOUND", reason: `${hit.kind} in ${hit.place}` };
}

async function inspectBytes(
  window: FileWindow,
  task: VerificationTask,
  spare: Buffer | undefined,
): Promise<Inspection> {
  const meta = await checkMeta(window, task.expectations);
  if (!meta.ok) return unproven(meta.reason);
  const readers: Readers = {
    privates: createPrivateReader(task.rules.privateRules),
    claim: createClaimReader(task.expectations.claim),
    dummies: createDummyReader(task.expectations.uids),
    concepts: createConceptReader(),
    collector: createEvidence(task),
    verdicts: (task.verdicts ?? createVerdictMemory()).of(task.expectations),
  };
  for (const step of tokenize(window, meta.endOffset, window.sizeBytes)) {
    if (step.kind === "need") {
      await window.load(step.offset, step.length);
      continue;
    }
    if (step.kind === "item") continue;
    const rule = task.rules.ruleOf(step.tag, step.within);
    const bytes = isWhole(step, rule)
      ? (window.held(step.valueOffset, step.length) ?? (await window.load(step.valueOffset, step.length)))
      : undefined;
    const refusal = inspectToken(step, bytes, rule, readers, task);
    if (refusal !== undefined) return unproven(`${refusal} ${placeOf(step)}`);
    const wrong = step.tag === PIXEL_DATA ? await pixelProblem(window, step, task.expectations, spare) : undefined;
    if (wrong !== undefined) return unproven(`${wrong} ${placeOf(step)}`);
  }
  const { seenAtTop, evidence } = readers.collector;
  const missing = task.expectations.required.find((tag) => !seenAtTop.has(tag));
  if (missing !== undefined) return unproven("required-element-missing");
  const untrue = seenAtTop.has(METHOD_CODES) ? readers.claim.problem() : undefined;
  return untrue === undefined ? { ok: true, sizeBytes: window.sizeBytes, evidence: evidence() } : unproven(untrue);
}

/** Of Pixel Data (7FE0,0010) alone: what neither its length nor a search tells. */
async function pixelProblem(
  window: FileWindow,
  { kind, parentTag, valueOffset }: Token,
  { mask, copiedPixels }: Expectations,
  spare: Buffer | undefined,
): Promise<"mask" | "pixels" | undefined> {
  if (mask !== undefined) {
    return kind === "value" && (await isMasked(window, valueOffset, mask)) ? undefined : "mask";
  }
  if (copiedPixels === undefined || parentTag !== 0) return undefined;
  return kind === "value" && (await isCopied(window, valueOffset, copiedPixels, spare)) ? undefined : "pixels";
}

function isWhole({ kind, vr, length }: Token, rule: Rule): boolean {
  const limit = vr === "DS" || vr === "IS" || vr === "UN" ? WHOLE_TEXT_BYTES : WHOLE_VALUE_BYTES;
  return kind === "value" && length <= limit && rule.treatment.kind !== "pixels";
}

/** What is read of an output as its elements go by. */
interface Readers {
  readonly privates: PrivateReader;
  readonly claim: ClaimReader;
  readonly dummies: DummyReader;
  readonly concepts: ConceptReader;
  readonly collector: EvidenceCollector;
  readonly verdicts: KnownVerdicts;
}

/** The reason why an element may not be there; undefined: it may. */
function inspectToken(
  token: Token,
  bytes: Buffer | undefined,
  ruleOfTag: Rule,
  { privates, collector, claim, dummies, concepts, verdicts }: Readers,
  task: VerificationTask,
): string | undefined {
  const privateRule = isPrivate(tagOf(token.tag)) ? privates.ruleOf(token, bytes) : undefined;
  const rule = privateRule?.rule ?? ruleOfTag;
  const known = privateRule === undefined ? verdicts.of(token, bytes, rule) : undefined;
  const check = known ?? checkElement(token, bytes, rule, task.expectations, task.harvest, privateRule?.vr);
  if (known === undefined && privateRule === undefined) verdicts.keep(token, bytes, rule, check);
  if (!check.ok) return check.reason;
  if (!dummies.accepts(token, bytes, rule)) return "dummy-item";
  if (!concepts.accepts(token, bytes)) return "personal-concept";
  claim.add(token, bytes, rule);
  return collector.add(token, bytes, rule, check.searched);
}

function unproven(reason: string): Unverified {
  return { ok: false, code: "DEIDENTIFICATION_UNPROVEN", reason };
}

function unprovenBy(thrown: unknown): Unverified {
  if (thrown instanceof TokenError) return unproven(thrown.reason);
  if (thrown instanceof RangeError) return unproven("too-many-identifiers");
  throw thrown;
}
