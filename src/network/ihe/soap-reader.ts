import { SaxesParser, type SaxesTagNS } from "saxes";
import { DicomTrolleyError, type RegistryError } from "./errors.ts";
import { NAMESPACES, SEVERITY } from "./names.ts";

/** One document of an answer: RAD TF-2 4.69, ITI TF-2 3.43.5. */
export interface DocumentResponse {
  readonly documentUniqueId: string;
  /** Of the part that holds it, as `contentIdOf` writes it. */
  readonly contentId: string | undefined;
  /** When it is not in a part of its own: toolkits put small documents into the envelope. */
  readonly inline: Buffer | undefined;
}

/** SOAP 1.2 part 1, 5.4; SOAP 1.1, 4.4. */
export interface SoapFault {
  /** `Sender`, `Receiver`, …: the local name. */
  readonly code: string;
  readonly subcode: string;
  readonly reason: string;
}

/** What an envelope says. */
export interface SoapAnswer {
  readonly action: string | undefined;
  readonly relatesTo: string | undefined;
  readonly fault: SoapFault | undefined;
  /** Whether it holds a RetrieveDocumentSetResponse. */
  readonly isResponse: boolean;
  readonly status: string;
  readonly errors: readonly RegistryError[];
  readonly documents: readonly DocumentResponse[];
}

export interface SoapReader {
  /** @throws DicomTrolleyError RAD69_ANSWER_INVALID, RAD69_LIMIT_EXCEEDED */
  push(piece: Uint8Array): void;
  /** @throws DicomTrolleyError RAD69_ANSWER_INVALID */
  end(): SoapAnswer;
}

const MAXIMUM_DEPTH = 64;
/** A reported error's texts are for people: what is longer is cut. */
const MAXIMUM_TEXT = 4_096;
const ENVELOPES: ReadonlySet<string> = new Set([NAMESPACES.soap12, NAMESPACES.soap11]);

interface OpenDocument {
  documentUniqueId: string;
  contentId: string | undefined;
  inline: Buffer | undefined;
}

/** What is read so far. */
interface Reading {
  readonly path: string[];
  text: string;
  action: string | undefined;
  relatesTo: string | undefined;
  fault: { code: string; subcode: string; reason: string } | undefined;
  isResponse: boolean;
  status: string;
  readonly errors: RegistryError[];
  readonly documents: DocumentResponse[];
  document: OpenDocument | undefined;
}

/**
 * Reads an envelope as it comes. Elements are known by their names: senders differ in order and prefixes. Entities other than those of
 * XML itself, and document types, are refused.
 */
export function createSoapReader(limitBytes: number): SoapReader {
  const reading: Reading = {
    path: [],
    text: "",
    action: undefined,
    relatesTo: undefined,
    fault: undefined,
    isResponse: false,
    status: "",
    errors: [],
    documents: [],
    document: undefined,
  };
  const decoder = new TextDecoder("utf-8");
  const parser = createParser(reading);
  let bytes = 0;
  const write = (text: string): void => {
    try {
      parser.write(text);
    } catch (thrown) {
      // The parser's own words quote the text.
      throw thrown instanceof DicomTrolleyError ? thrown : invalid("XML");
    }
  };
  return {
    push(piece) {
      bytes += piece.length;
      if (bytes > limitBytes) throw new DicomTrolleyError("RAD69_LIMIT_EXCEEDED", { what: "root part", limitBytes });
      write(decoder.decode(piece, { stream: true }));
    },
    end() {
      write(decoder.decode());
      try {
        parser.close();
      } catch {
        throw invalid("XML");
      }
      const { action, relatesTo, fault, isResponse, status, errors, documents } = reading;
      return { action, relatesTo, fault, isResponse, status, errors, documents };
    },
  };
}

function invalid(what: string): DicomTrolleyError {
  return new DicomTrolleyError("RAD69_ANSWER_INVALID", { what });
}

function createParser(reading: Reading): SaxesParser {
  const parser = new SaxesParser({ xmlns: true, position: false });
  parser.on("doctype", () => {
    throw invalid("document type");
  });
  parser.on("error", () => {
    throw invalid("XML");
  });
  parser.on("text", (text) => {
    reading.text += text;
  });
  parser.on("cdata", (text) => {
    reading.text += text;
  });
  parser.on("opentag", (tag) => {
    if (reading.path.length === 0 && !(tag.local === "Envelope" && ENVELOPES.has(tag.uri))) throw invalid("envelope");
    if (reading.path.length >= MAXIMUM_DEPTH) throw invalid("depth");
    reading.path.push(tag.local);
    reading.text = "";
    opened(reading, tag);
  });
  parser.on("closetag", (tag) => {
    closed(reading, tag.local);
    reading.path.pop();
    reading.text = "";
  });
  return parser;
}

function attribute({ attributes }: SaxesTagNS, name: string): string {
  return Object.values(attributes).find(({ local }) => local === name)?.value ?? "";
}

function opened(reading: Reading, tag: SaxesTagNS): void {
  switch (tag.local) {
    case "RetrieveDocumentSetResponse":
      reading.isResponse = true;
      break;
    case "RegistryResponse":
      reading.status = attribute(tag, "status").trim();
      break;
    case "RegistryError":
      reading.errors.push(registryErrorOf(tag));
      break;
    case "DocumentResponse":
      reading.document = { documentUniqueId: "", contentId: undefined, inline: undefined };
      break;
    case "Include":
      if (reading.document !== undefined) reading.document.contentId = contentIdOf(attribute(tag, "href"));
      break;
    case "Fault":
      reading.fault ??= { code: "", subcode: "", reason: "" };
      break;
  }
}

function registryErrorOf(tag: SaxesTagNS): RegistryError {
  const text = (name: string): string => attribute(tag, name).trim().slice(0, MAXIMUM_TEXT);
  return {
    errorCode: text("errorCode"),
    codeContext: text("codeContext"),
    // Whatever is not clearly a warning is an error.
    severity: text("severity") === SEVERITY.warning ? "warning" : "error",
    location: text("location"),
  };
}

function closed(reading: Reading, name: string): void {
  const { document, fault, path } = reading;
  const text = reading.text.trim();
  const parent = path.at(-2);
  if (name === "Action" && parent === "Header") reading.action = text;
  else if (name === "RelatesTo" && parent === "Header") reading.relatesTo = text;
  else if (document !== undefined) closedInDocument(reading, document, name, text);
  else if (fault !== undefined) closedInFault(fault, name, parent, text.slice(0, MAXIMUM_TEXT));
}

function closedInDocument(reading: Reading, document: OpenDocument, name: string, text: string): void {
  if (name === "DocumentUniqueId") document.documentUniqueId = text;
  else if (name === "Document" && document.contentId === undefined) document.inline = Buffer.from(text, "base64");
  else if (name === "DocumentResponse") {
    reading.documents.push(document);
    reading.document = undefined;
  }
}

function closedInFault(
  fault: NonNullable<Reading["fault"]>,
  name: string,
  parent: string | undefined,
  text: string,
): void {
  if (name === "Value" && parent === "Code") fault.code = localName(text);
  else if (name === "Value" && parent === "Subcode") fault.subcode ||= localName(text);
  else if (name === "Text" && parent === "Reason") fault.reason ||= text;
  else if (name === "faultcode") fault.code = localName(text);
  else if (name === "faultstring") fault.reason = text;
}

function localName(text: string): string {
  return text.slice(text.indexOf(":") + 1);
}

/**
 * A Content-ID so that it can be compared: senders write it with and without angle brackets, and percent-encoded where it stands in a
 * `cid:` URL. RFC 2392 2.
 */
export function contentIdOf(text: string): string {
  const bare = text
    .trim()
    .replace(/^cid:/i, "")
    .replace(/^<([^<>]*)>$/, "$1");
  try {
    return decodeURIComponent(bare);
  } catch {
    return bare;
  }
}
