import { posix } from "node:path";
import { unzipSync } from "fflate";
import { TableError } from "../table-file.ts";
import { type NumberFormat, numberFormat } from "./number-format.ts";
import { readXml } from "./read-xml.ts";

/** What the cells of a sheet are made of. */
export interface Workbook {
  /** The first sheet, as XML. */
  readonly sheet: Uint8Array;
  readonly sharedStrings: readonly string[];
  /** By the style that a cell names. */
  readonly formats: readonly NumberFormat[];
  readonly isFrom1904: boolean;
}

const WORKBOOK = "xl/workbook.xml";
const RELATIONS = "xl/_rels/workbook.xml.rels";
/** Of all parts that are read. A sheet of half a million rows and ten columns takes a third of it. */
const UNPACKED_LIMIT_BYTES = 512 << 20;

/** Opens the parts of a workbook that its first sheet needs, ISO/IEC 29500-1 12.3. Throws when it is none. @throws TableError */
export function openWorkbook(bytes: Uint8Array): Workbook {
  const outline = unpack(bytes, [WORKBOOK, RELATIONS]);
  const { relationIds, isFrom1904 } = readOutline(partOf(outline, WORKBOOK));
  const targets = readRelations(partOf(outline, RELATIONS));
  const sheetPath = relationIds.map((id) => targets.worksheets.get(id)).find((path) => path !== undefined);
  if (sheetPath === undefined) throw new TableError("xlsx-malformed");
  const { sharedStrings, styles } = targets;
  const parts = unpack(
    bytes,
    [sheetPath, sharedStrings, styles].filter((path) => path !== undefined),
  );
  return {
    sheet: partOf(parts, sheetPath),
    sharedStrings: sharedStrings === undefined ? [] : readSharedStrings(partOf(parts, sharedStrings)),
    formats: styles === undefined ? [] : readFormats(partOf(parts, styles)),
    isFrom1904,
  };
}

type Parts = Readonly<Record<string, Uint8Array>>;

function unpack(bytes: Uint8Array, names: readonly string[]): Parts {
  let unpackedBytes = 0;
  return unzipSync(bytes, {
    filter({ name, originalSize }) {
      if (!names.includes(name)) return false;
      unpackedBytes += originalSize;
      if (unpackedBytes > UNPACKED_LIMIT_BYTES) throw new TableError("file-too-large");
      return true;
    },
  });
}

function partOf(parts: Parts, name: string): Uint8Array {
  const part = parts[name];
  if (part === undefined) throw new TableError("xlsx-malformed");
  return part;
}

/** The sheets in their order. ISO/IEC 29500-1 18.2.20, 18.2.28. */
function readOutline(part: Uint8Array): Pick<Workbook, "isFrom1904"> & { readonly relationIds: readonly string[] } {
  const relationIds: string[] = [];
  let isFrom1904 = false;
  readXml(part, {
    open(name, attribute) {
      if (name === "sheet") relationIds.push(attribute("id") ?? "");
      if (name === "workbookPr") isFrom1904 = /^(?:1|true)$/.test(attribute("date1904") ?? "");
    },
  });
  return { relationIds, isFrom1904 };
}

interface Targets {
  readonly worksheets: ReadonlyMap<string, string>;
  readonly sharedStrings: string | undefined;
  readonly styles: string | undefined;
}

/** Relations by the last word of their type: the standard has two families of the same names. ISO/IEC 29500-1 and 29500-4, 12.3. */
function readRelations(part: Uint8Array): Targets {
  const worksheets = new Map<string, string>();
  const others = new Map<string, string>();
  readXml(part, {
    open(name, attribute) {
      if (name !== "Relationship") return;
      const kind = attribute("Type")?.split("/").at(-1) ?? "";
      const path = posix.resolve("/xl", attribute("Target") ?? "").slice(1);
      if (kind === "worksheet") worksheets.set(attribute("Id") ?? "", path);
      else others.set(kind, path);
    },
  });
  return { worksheets, sharedStrings: others.get("sharedStrings"), styles: others.get("styles") };
}

/** ISO/IEC 29500-1 18.4.8: the runs of a text follow one another, how they are read aloud (`rPh`) is left out. */
function readSharedStrings(part: Uint8Array): readonly string[] {
  const texts: string[] = [];
  const item = createTextItem();
  readXml(part, {
    open(name) {
      if (name === "si") item.begin();
      else item.open(name);
    },
    close(name, text) {
      if (name === "si") texts.push(item.end());
      else item.close(name, text);
    },
  });
  return texts;
}

/** Gathers the text of a string item, `si` or `is`. */
export function createTextItem() {
  let whole = "";
  let isPhonetic = false;
  return {
    begin(): void {
      whole = "";
    },
    open(name: string): void {
      if (name === "rPh") isPhonetic = true;
    },
    close(name: string, text: string): void {
      if (name === "rPh") isPhonetic = false;
      if (name === "t" && !isPhonetic) whole += text;
    },
    end: (): string => unescaped(whole),
  };
}

/** `_x000D_` stands for a character that XML cannot hold. ISO/IEC 29500-1 22.9.2.19. */
export function unescaped(text: string): string {
  return text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** The number format of each cell format, ISO/IEC 29500-1 18.8.10. */
function readFormats(part: Uint8Array): readonly NumberFormat[] {
  const codes = new Map<number, string>();
  const ids: number[] = [];
  let isInCellFormats = false;
  readXml(part, {
    open(name, attribute) {
      if (name === "numFmt") codes.set(Number(attribute("numFmtId")), attribute("formatCode") ?? "");
      if (name === "cellXfs") isInCellFormats = true;
      if (name === "xf" && isInCellFormats) ids.push(Number(attribute("numFmtId") ?? 0));
    },
    close(name) {
      if (name === "cellXfs") isInCellFormats = false;
    },
  });
  return ids.map((id) => numberFormat(id, codes));
}
