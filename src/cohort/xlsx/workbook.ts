import { posix } from "node:path";
import type { ByteSource } from "../../dicom/data-set.ts";
import { memberContent } from "../../network/zip/member-content.ts";
import { readZipMembers, ZIP_LIMITS } from "../../network/zip/zip-members.ts";
import { TableError } from "../table-file.ts";
import { type NumberFormat, numberFormat } from "./number-format.ts";
import { readXml } from "./read-xml.ts";

/** What the cells of a sheet are made of. */
export interface Workbook {
  /** The first sheet, as XML; to be read once. */
  readonly sheet: AsyncIterable<Uint8Array>;
  readonly sharedStrings: readonly string[];
  /** By the style that a cell names. */
  readonly formats: readonly NumberFormat[];
  readonly isFrom1904: boolean;
}

const WORKBOOK = "xl/workbook.xml";
const RELATIONS = "xl/_rels/workbook.xml.rels";
/** Of one part. A sheet of half a million rows and ten columns takes a third of it. */
const PART_LIMIT_BYTES = 512 << 20;

/**
 * Opens the parts of a workbook that its first sheet needs, ISO/IEC 29500-1 12.3. Parsers throw errors of their own where it is none.
 * @throws TableError; GatewayError ZIP_…
 */
export async function openWorkbook(zip: ByteSource): Promise<Workbook> {
  const part = await openParts(zip);
  const { relationIds, isFrom1904 } = await readOutline(part(WORKBOOK));
  const { worksheets, sharedStrings, styles } = await readRelations(part(RELATIONS));
  const sheet = relationIds.map((id) => worksheets.get(id)).find((path) => path !== undefined);
  if (sheet === undefined) throw new TableError("xlsx-malformed");
  return {
    sheet: part(sheet),
    sharedStrings: sharedStrings === undefined ? [] : await readSharedStrings(part(sharedStrings)),
    formats: styles === undefined ? [] : await readFormats(part(styles)),
    isFrom1904,
  };
}

type Part = AsyncIterable<Uint8Array>;

/** Parts by their names, each unpacked as it is read and compared with its sum. */
async function openParts(zip: ByteSource): Promise<(name: string) => Part> {
  const { members, skipped } = await readZipMembers(zip, { ...ZIP_LIMITS, memberBytes: PART_LIMIT_BYTES });
  const byName = new Map(members.map((member) => [member.name, member]));
  return (name) => {
    const member = byName.get(name);
    if (member !== undefined) return memberContent(zip, member);
    throw new TableError(skipped.has("ZIP_ENTRY_TOO_LARGE") ? "file-too-large" : "xlsx-malformed");
  };
}

/** The sheets in their order. ISO/IEC 29500-1 18.2.20, 18.2.28. */
async function readOutline(
  part: Part,
): Promise<{ readonly relationIds: readonly string[]; readonly isFrom1904: boolean }> {
  const relationIds: string[] = [];
  let isFrom1904 = false;
  await readXml(part, {
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
async function readRelations(part: Part): Promise<Targets> {
  const worksheets = new Map<string, string>();
  const others = new Map<string, string>();
  await readXml(part, {
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
async function readSharedStrings(part: Part): Promise<readonly string[]> {
  const texts: string[] = [];
  const item = createTextItem();
  await readXml(part, {
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
async function readFormats(part: Part): Promise<readonly NumberFormat[]> {
  const codes = new Map<number, string>();
  const ids: number[] = [];
  let isInCellFormats = false;
  await readXml(part, {
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
