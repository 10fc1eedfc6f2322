import type { DataElement, DataSet, Part10File } from "./data-set.ts";
import { lookupElement } from "./dictionary/dictionary.ts";
import { transferSyntaxOf } from "./dictionary/transfer-syntaxes.ts";
import { type JsonDataSet, toDicomJson } from "./json.ts";
import { formatTag } from "./tag.ts";
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

export function dumpDocument(file: string, { meta, dataSet, transferSyntaxUid, findings }: Part10File): DumpDocument {
  const { littleEndian } = transferSyntaxOf(transferSyntaxUid);
  const bulkDataUri = (offset: number, length: number): string => `${file}#${offset},${length}`;
  return {
    file,
    transferSyntax: transferSyntaxUid,
    meta: toDicomJson(meta, { bulkDataUri }),
    dataset: toDicomJson(dataSet, { bulkDataUri, littleEndian }),
    findings,
  };
}

/** Longest text of a value on a line. */
const VALUE_CHARACTERS = 72;

interface Level {
  readonly elements: Iterator<DataElement>;
  readonly dataSet: DataSet;
  readonly depth: number;
  readonly inheritedCharacterSet: string | undefined;
}

/** One element a line: tag, VR, value, length, keyword; items are indented. Nesting costs no call stack. */
export function* dumpLines(dataSet: DataSet, littleEndian = true): Generator<string> {
  const stack: Level[] = [{ elements: dataSet.values(), dataSet, depth: 0, inheritedCharacterSet: undefined }];
  for (let level = stack.at(-1); level !== undefined; level = stack.at(-1)) {
    const next = level.elements.next();
    if (next.done) {
      stack.pop();
      continue;
    }
    yield lineOf(level, next.value, littleEndian);
    if (next.value.value.kind !== "sequence") continue;
    const inheritedCharacterSet = characterSetOf(level.dataSet, level);
    const depth = level.depth + 1;
    for (const { dataSet: item } of [...next.value.value.items].reverse()) {
      stack.push({ elements: item.values(), dataSet: item, depth, inheritedCharacterSet });
    }
  }
}

function lineOf(level: Level, element: DataElement, littleEndian: boolean): string {
  const keyword = lookupElement(element.tag)?.keyword ?? "";
  const { text, length } = describe(level, element, littleEndian);
  return `${"  ".repeat(level.depth)}${formatTag(element.tag)} ${element.vr} ${text} # ${length} ${keyword}`.trimEnd();
}

function describe(
  level: Level,
  { tag, vr, value }: DataElement,
  littleEndian: boolean,
): { readonly text: string; readonly length: string } {
  if (value.kind === "sequence") return { text: `(${value.items.length} items)`, length: "sequence" };
  if (value.kind === "fragments") return { text: `(${value.fragments.length} fragments)`, length: "undefined" };
  if (value.kind === "range") return { text: `(at ${value.range.offset})`, length: `${value.range.length}` };
  const length = `${value.bytes.length}`;
  if (value.bytes.length === 0) return { text: "(no value)", length };
  const numbers = numbersOf(level.dataSet, tag, { littleEndian });
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
