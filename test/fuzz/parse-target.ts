import { deepStrictEqual, ok } from "node:assert/strict";
import type { ByteSource, Part10File } from "../../src/dicom/data-set.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { transferSyntaxOf } from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { dumpDocument, dumpLines } from "../../src/dicom/dump.ts";
import { spliceEdits } from "../../src/dicom/edit.ts";
import type { ParseOptions } from "../../src/dicom/parser-state.ts";
import { bytesSource, readPart10 } from "../../src/dicom/reader.ts";
import type { Tag } from "../../src/dicom/tag.ts";
import { textElement, textOf } from "../../src/dicom/values.ts";
import { type ByteSink, writePart10 } from "../../src/dicom/writer.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import type { Random } from "../../src/units/random.ts";
import { corpusSeeds } from "./corpus-seeds.ts";
import { sampleFiles } from "./sample-files.ts";
import type { FuzzTarget } from "./target.ts";

const REFUSALS: ReadonlySet<string> = new Set([
  "DICOM_LIMIT_EXCEEDED",
  "DICOM_MALFORMED",
  "DICOM_TRUNCATED",
  "NOT_DICOM",
]);
/** Oddities that an object keeps when it is encoded anew. */
const KEPT_WHEN_ENCODED: ReadonlySet<string> = new Set([
  "ELEMENT_ORDER",
  "LENGTH_ODD",
  "TRAILING_BYTES",
  "TRANSFER_SYNTAX_MISSING",
  "TRANSFER_SYNTAX_UNKNOWN",
]);
const LARGEST_WINDOW_BYTES = 70_000;

/** The Part 10 reader, writer and editor, on files built for this and small ones of the corpus where there is one. */
export const parseTarget: FuzzTarget = {
  name: "parse",
  seeds: async () => [...sampleFiles(), ...(await corpusSeeds(process.env.RADFERRY_CORPUS))],
  run: async (input, random) => {
    const strict = await readCounted(input, {});
    const windowBytes = 1 + Math.floor(random.next() * LARGEST_WINDOW_BYTES);
    deepStrictEqual(summaryOf(await readCounted(input, { windowBytes })), summaryOf(strict), "another window");
    const tolerant = await readCounted(input, { tolerant: true });
    if (strict instanceof GatewayError) {
      await judgeRefusal(strict, tolerant);
      return strict.code;
    }
    await judgeFile(strict, input, random);
    return strict.findings.length === 0 ? "sound" : "odd";
  },
};

/** What was read, or the error: a stranger is thrown. Reading may look at no byte more than a few times. */
async function readCounted(input: Uint8Array, options: ParseOptions): Promise<Part10File | GatewayError> {
  const inner = bytesSource(input);
  let [reads, bytesRead] = [0, 0];
  const counting: ByteSource = {
    sizeBytes: inner.sizeBytes,
    read(offset, length) {
      reads += 1;
      bytesRead += length;
      ok(offset >= 0 && length >= 0 && offset + length <= input.length, `read of ${length} at ${offset}`);
      return inner.read(offset, length);
    },
  };
  try {
    return await readPart10(counting, options);
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown;
    throw thrown;
  } finally {
    ok(reads <= 16 + input.length / 8, `${reads} reads of ${input.length} bytes`);
    ok(bytesRead <= 512 * 1024 + 8 * input.length, `${bytesRead} bytes read of ${input.length}`);
  }
}

function summaryOf(outcome: Part10File | GatewayError): unknown {
  if (outcome instanceof GatewayError) return [outcome.code, outcome.details];
  const { dataSet, meta, findings, layout, trailing, transferSyntaxUid } = outcome;
  return { dataSet, meta, findings, layout, trailing, transferSyntaxUid };
}

async function judgeRefusal(refusal: GatewayError, tolerant: Part10File | GatewayError): Promise<void> {
  const { code, details } = refusal;
  ok(REFUSALS.has(code), `refused with ${code}`);
  ok(typeof details.offset === "number" && details.offset >= 0, `${code} without an offset`);
  if (tolerant instanceof GatewayError) ok(tolerant.code === "NOT_DICOM", `not tolerated: ${tolerant.code}`);
  else {
    const codes = tolerant.findings.map((finding) => finding.code);
    ok(codes.includes(code), `${code} is not among the findings`);
    await listed(tolerant);
  }
}

/** Nothing may be lost: neither by copying with edits, nor by encoding anew unless a finding says so. */
async function judgeFile(file: Part10File, input: Uint8Array, random: Random): Promise<void> {
  await listed(file);
  const copied = await written((sink) => spliceEdits(file, { dataSet: new Map() }).writeTo(sink));
  ok(copied.equals(input), "a copy differs");
  if (!file.findings.every(({ code }) => KEPT_WHEN_ENCODED.has(code))) return;
  const encoded = await written((sink) => writePart10(sink, file));
  const isDeflated = file.file !== file.source;
  if (isDeflated) ok((await inflatedOf(encoded)).equals(await allOf(file.source)), "deflated anew, it differs");
  else ok(encoded.equals(input), "encoded anew, it differs");
  await judgeEdit(file, random);
}

/** One element changes, the others keep their bytes. */
async function judgeEdit(file: Part10File, random: Random): Promise<void> {
  const patientId = `F${Math.floor(random.next() * 1e9)}`;
  const edit = textElement(tags.PatientID, patientId);
  const bytes = await written((sink) =>
    spliceEdits(file, { dataSet: new Map([[tags.PatientID, edit]]) }).writeTo(sink),
  );
  const again = await readPart10(bytesSource(bytes));
  // The first element may decide what a file without a transfer syntax is taken for, and an edit may move another file's "DICM" to just
  // where it makes an element of the wrong order look like that file's preamble.
  const isTakenAlike = again.transferSyntaxUid === file.transferSyntaxUid;
  if (!isTakenAlike || again.trailing?.length !== file.trailing?.length) return;
  ok(textOf(again.dataSet, tags.PatientID) === patientId, "an edit is not there");
  const others = [...file.dataSet.keys()].filter((tag) => tag !== tags.PatientID && tag !== 0x00100000);
  for (const tag of others) {
    const before = await extentOf(file, tag);
    ok((await extentOf(again, tag)).equals(before), `an edit changes ${tag.toString(16)}`);
  }
}

async function extentOf({ layout, source }: Part10File, tag: Tag): Promise<Buffer> {
  const index = layout?.tags.indexOf(tag) ?? -1;
  const start = layout?.offsets[index] ?? 0;
  const end = layout?.offsets[index + 1] ?? layout?.endOffset ?? 0;
  return Buffer.from(await source.read(start, end - start));
}

async function listed(file: Part10File): Promise<void> {
  const { littleEndian } = transferSyntaxOf(file.transferSyntaxUid);
  JSON.stringify(await dumpDocument("", file));
  for (const line of dumpLines(file.dataSet, littleEndian)) ok(!/\p{Cc}/u.test(line), "a control character is shown");
}

async function inflatedOf(bytes: Uint8Array): Promise<Buffer> {
  return allOf((await readPart10(bytesSource(bytes))).source);
}

async function allOf({ read, sizeBytes }: ByteSource): Promise<Buffer> {
  return Buffer.from(await read(0, sizeBytes));
}

async function written(write: (sink: ByteSink) => Promise<void>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  await write({ write: (chunk) => void chunks.push(chunk) });
  return Buffer.concat(chunks);
}
