import type { TextProblem } from "./character-sets.ts";
import { declaredSets } from "./character-sets-table.ts";
import type { ByteRange, DataElement, DataSet, Finding, Part10File } from "./data-set.ts";
import { lookupElement } from "./dictionary/dictionary.ts";
import { tags } from "./dictionary/tags.ts";
import { transferSyntaxOf } from "./dictionary/transfer-syntaxes.ts";
import { type JsonDataSet, toDicomJson } from "./json.ts";
import { formatDicomJson } from "./json-format.ts";
import { formatTag, type Tag } from "./tag.ts";
import { characterSetOf, numbersOf, textsOf } from "./values.ts";
import { isText } from "./vr.ts";

/** One line of `dicom dump --json`. */
export interface DumpDocument {
  readonly file: string;
  readonly transferSyntax: string;
  readonly meta: JsonDataSet;
  readonly dataset: JsonDataSet;
  readonly findings: Part10File["findings"];
}

/** Bulk of a deflated file is nowhere in it as it is: up to so many bytes are given inline. */
const MAXIMUM_INLINE_BYTES = 64 * 1024 * 1024;

/** Findings about texts beyond this number are the same fault again. */
const MAXIMUM_TEXT_FINDINGS = 100;

const TEXT_FINDINGS: { readonly [P in TextProblem | "CHARACTER_SET_WRONG"]: string } = {
  CHARACTER_SET_WRONG: "a term of Specific Character Set that is unknown, misspelt or out of place",
  TEXT_UNDECLARED: "text that is not in the default repertoire, nor in a character set that is declared",
  TEXT_UNDECODABLE: "bytes that are no text in the character set, shown as Latin-1",
};

/** What a deflated data set inflates to, as far as its values are given inline; undefined for others. */
export async function inflatedBulk({ source, transferSyntaxUid }: Part10File): Promise<Uint8Array | undefined> {
  const { deflated } = transferSyntaxOf(transferSyntaxUid);
  return deflated ? source.read(0, Math.min(source.sizeBytes, MAXIMUM_INLINE_BYTES)) : undefined;
}

/**
 * What `dicom dump --json` says of a file. A value that is not held in memory is named by where it is in the file, in the file's byte
 * order; those of a deflated file are inline, and what is not in `inflated` is named by where it is in what the file inflates to.
 */
export function dumpDocument(file: string, part10: Part10File, inflated?: Uint8Array): DumpDocument {
  const { meta, dataSet, transferSyntaxUid, dataSetOffset } = part10;
  const { littleEndian, deflated } = transferSyntaxOf(transferSyntaxUid);
  const findings: Finding[] = [];
  const note = (code: keyof typeof TEXT_FINDINGS, tag: Tag): void => {
    if (findings.length < MAXIMUM_TEXT_FINDINGS)
      findings.push({ code, offset: dataSetOffset, message: `${formatTag(tag)}: ${TEXT_FINDINGS[code]}` });
  };
  if (!declaredSets(characterSetOf(dataSet)).isSound) note("CHARACTER_SET_WRONG", tags.SpecificCharacterSet);
  const inFile = ({ offset, length }: ByteRange): string => `${file}#${offset},${length}`;
  const inInflated = ({ offset, length }: ByteRange): string | Uint8Array =>
    inflated !== undefined && offset + length <= inflated.length
      ? inflated.subarray(offset, offset + length)
      : `${file}#inflated:${offset},${length}`;
  const bulkData = deflated ? inInflated : inFile;
  return {
    file,
    transferSyntax: transferSyntaxUid,
    meta: toDicomJson(meta, { bulkData: inFile }),
    dataset: toDicomJson(dataSet, { bulkData, littleEndian, onTextProblem: note }),
    findings: [...part10.findings, ...findings],
  };
}

/** On one line. */
export function formatDumpDocument({ file, transferSyntax, meta, dataset, findings }: DumpDocument): string {
  const head = JSON.stringify({ file, transferSyntax }).slice(0, -1);
  const dataSets = `"meta":${formatDicomJson(meta)},"dataset":${formatDicomJson(dataset)}`;
  return `${head},${dataSets},"findings":${JSON.stringify(findings)}}`;
}

/** Longest text of a value on a line. */
const VALUE_CHARACTERS = 72;

interface Level {
  readonly elements: Iterator<DataElement>;
  readonly dataSet: DataSet;
  readonly depth: number;
  readonly inheritedCharacterSet: string | undefined;
  readonly littleEndian: boolean;
}

/** One element a line: tag, VR, value, length, keyword; items are indented. Nesting costs no call stack. */
export function* dumpLines(dataSet: DataSet, littleEndian = true): Generator<string> {
  const elements = dataSet.values();
  const stack: Level[] = [{ elements, dataSet, depth: 0, inheritedCharacterSet: undefined, littleEndian }];
  for (let level = stack.at(-1); level !== undefined; level = stack.at(-1)) {
    const next = level.elements.next();
    if (next.done) {
      stack.pop();
      continue;
    }
    yield lineOf(level, next.value);
    if (next.value.value.kind !== "sequence") continue;
    const inheritedCharacterSet = characterSetOf(level.dataSet, level);
    const depth = level.depth + 1;
    // Inside UN everything is little endian. PS3.5 6.2.2 note 2.
    const isLittle = level.littleEndian || next.value.vr === "UN";
    for (const { dataSet: item } of [...next.value.value.items].reverse()) {
      stack.push({ elements: item.values(), dataSet: item, depth, inheritedCharacterSet, littleEndian: isLittle });
    }
  }
}

function lineOf(level: Level, element: DataElement): string {
  const keyword = lookupElement(element.tag)?.keyword ?? "";
  const { text, length } = describe(level, element);
  return `${"  ".repeat(level.depth)}${formatTag(element.tag)} ${element.vr} ${text} # ${length} ${keyword}`.trimEnd();
}

function describe(level: Level, { tag, vr, value }: DataElement): { readonly text: string; readonly length: string } {
  if (value.kind === "sequence") return { text: `(${value.items.length} items)`, length: "sequence" };
  if (value.kind === "fragments") return { text: `(${value.fragments.length} fragments)`, length: "undefined" };
  if (value.kind === "range") return { text: `(at ${value.range.offset})`, length: `${value.range.length}` };
  const length = `${value.bytes.length}`;
  if (value.bytes.length === 0) return { text: "(no value)", length };
  const numbers = numbersOf(level.dataSet, tag, level);
  const text = isText(vr)
    ? `[${textsOf(level.dataSet, tag, level).join("\\")}]`
    : numbers.length > 0
      ? numbers.join("\\")
      : Buffer.from(value.bytes.subarray(0, VALUE_CHARACTERS)).toString("hex");
  return { text: shorten(text), length };
}

/** Control characters would disturb the terminal they are shown on. */
function shorten(text: string): string {
  const plain = text.replace(/\p{Cc}/gu, ".");
  return plain.length > VALUE_CHARACTERS ? `${plain.slice(0, VALUE_CHARACTERS)}...` : plain;
}
