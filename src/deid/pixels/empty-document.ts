import type { DataElement } from "../../dicom/data-set.ts";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import { textElement } from "../engine/coded-entry.ts";

const ENCAPSULATED_DOCUMENT = tagOf(0x00420011);
const ENCAPSULATED_DOCUMENT_LENGTH = tagOf(0x00420015);
const DOCUMENT_TITLE = tagOf(0x00420010);
const MIME_TYPE = tagOf(0x00420012);
const BURNED_IN_ANNOTATION = tagOf(0x00280301);

/** Catalogue, pages, and a page of A4 with nothing on it. ISO 32000-1 7.7. */
const OBJECTS = [
  "<< /Type /Catalog /Pages 2 0 R >>",
  "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
  "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>",
];

/** A PDF of one empty page. ISO 32000-1 7.5: header, objects, cross-reference table, trailer. */
export function emptyPdf(): Uint8Array {
  let text = "%PDF-1.4\n";
  const offsets: number[] = [];
  for (const [index, object] of OBJECTS.entries()) {
    offsets.push(text.length);
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
  }
  const start = text.length;
  const rows = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`);
  text += `xref\n0 ${OBJECTS.length + 1}\n0000000000 65535 f \n${rows.join("")}`;
  text += `trailer\n<< /Size ${OBJECTS.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(text, "latin1");
}

/** Puts an empty page in the place of a PDF and its title. Answers with what was written. PS3.3 C.24.2. */
export function replaceDocument(kept: Map<Tag, DataElement>): readonly DataElement[] {
  const pdf = emptyPdf();
  const length = Buffer.alloc(4);
  length.writeUInt32LE(pdf.length);
  const bytes = pdf.length % 2 === 0 ? pdf : Buffer.concat([pdf, Buffer.of(0)]);
  const written: DataElement[] = [
    textElement(BURNED_IN_ANNOTATION, "CS", "NO")[1],
    textElement(DOCUMENT_TITLE, "ST", "")[1],
    { tag: ENCAPSULATED_DOCUMENT, vr: "OB", value: { kind: "bytes", bytes }, undefinedLength: false },
    textElement(MIME_TYPE, "LO", "application/pdf")[1],
    { tag: ENCAPSULATED_DOCUMENT_LENGTH, vr: "UL", value: { kind: "bytes", bytes: length }, undefinedLength: false },
  ];
  for (const element of written) kept.set(element.tag, element);
  return written;
}
