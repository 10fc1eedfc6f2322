import { SaxesParser, type SaxesTagNS } from "saxes";
import { NAMESPACES } from "../names.ts";

export interface RequestedDocument {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly documentUniqueId: string;
  readonly repositoryUniqueId: string;
  readonly homeCommunityId: string | undefined;
}

/** A RetrieveImagingDocumentSet request as it was sent; what is wrong with it is for others to judge. RAD TF-2 4.69. */
export interface ImagingDocumentSetRequest {
  /** As it stands, blanks included; undefined when absent. */
  readonly action: string | undefined;
  readonly messageId: string | undefined;
  readonly replyTo: string | undefined;
  readonly to: string | undefined;
  /** Request elements in the body. */
  readonly requests: number;
  /** Whether text stands where only elements may. */
  readonly hasStrayText: boolean;
  readonly documents: readonly RequestedDocument[];
  readonly transferSyntaxUids: readonly string[];
}

const MAXIMUM_DEPTH = 32;

interface NamedDocument {
  documentUniqueId: string;
  repositoryUniqueId: string;
  homeCommunityId: string | undefined;
}

/** Another one each time: what strays outside of a document must name nothing in the next, nor in the next request. */
function emptyDocument(): NamedDocument {
  return { documentUniqueId: "", repositoryUniqueId: "", homeCommunityId: undefined };
}

interface Reading {
  readonly path: string[];
  text: string;
  action: string | undefined;
  messageId: string | undefined;
  replyTo: string | undefined;
  to: string | undefined;
  requests: number;
  hasStrayText: boolean;
  study: string;
  series: string;
  document: NamedDocument;
  readonly documents: RequestedDocument[];
  readonly transferSyntaxUids: string[];
}

/** @throws Error when it is no SOAP 1.2 envelope */
export function readImagingDocumentSetRequest(xml: string): ImagingDocumentSetRequest {
  const reading: Reading = {
    path: [],
    text: "",
    action: undefined,
    messageId: undefined,
    replyTo: undefined,
    to: undefined,
    requests: 0,
    hasStrayText: false,
    study: "",
    series: "",
    document: emptyDocument(),
    documents: [],
    transferSyntaxUids: [],
  };
  const parser = new SaxesParser({ xmlns: true, position: false });
  const refuse = (what: string) => (): never => {
    throw new Error(what);
  };
  parser.on("doctype", refuse("a document type"));
  parser.on("error", refuse("malformed XML"));
  parser.on("text", (text) => {
    reading.text += text;
  });
  parser.on("opentag", (tag) => {
    if (reading.path.length === 0 && !(tag.local === "Envelope" && tag.uri === NAMESPACES.soap12))
      refuse("no envelope")();
    if (reading.path.length >= MAXIMUM_DEPTH) refuse("too deep")();
    reading.hasStrayText ||= reading.text.trim() !== "";
    reading.text = "";
    reading.path.push(tag.local);
    opened(reading, tag);
  });
  parser.on("closetag", (tag) => {
    closed(reading, tag.local, reading.text);
    reading.path.pop();
    reading.text = "";
  });
  parser.write(xml).close();
  return reading;
}

function opened(reading: Reading, { local, attributes }: SaxesTagNS): void {
  const attribute = (name: string): string => attributes[name]?.value.trim() ?? "";
  if (local === "RetrieveImagingDocumentSetRequest") reading.requests += 1;
  else if (local === "StudyRequest") reading.study = attribute("studyInstanceUID");
  else if (local === "SeriesRequest") reading.series = attribute("seriesInstanceUID");
  else if (local === "DocumentRequest") reading.document = emptyDocument();
}

/** Elements that hold text; text anywhere else strays. */
const LEAVES: Readonly<Record<string, (reading: Reading, text: string) => void>> = {
  Action: (reading, text) => {
    reading.action ??= text;
  },
  MessageID: (reading, text) => {
    reading.messageId ??= text.trim();
  },
  To: (reading, text) => {
    reading.to ??= text.trim();
  },
  Address: (reading, text) => {
    if (reading.path.at(-2) === "ReplyTo") reading.replyTo ??= text.trim();
  },
  HomeCommunityId: (reading, text) => {
    reading.document.homeCommunityId = text.trim();
  },
  RepositoryUniqueId: (reading, text) => {
    reading.document.repositoryUniqueId = text.trim();
  },
  DocumentUniqueId: (reading, text) => {
    reading.document.documentUniqueId = text.trim();
  },
  TransferSyntaxUID: (reading, text) => {
    reading.transferSyntaxUids.push(text.trim());
  },
};

function closed(reading: Reading, name: string, text: string): void {
  const leaf = LEAVES[name];
  if (leaf !== undefined) leaf(reading, text);
  else if (reading.path.includes("Body")) reading.hasStrayText ||= text.trim() !== "";
  if (name !== "DocumentRequest") return;
  const { study: studyInstanceUid, series: seriesInstanceUid, document } = reading;
  reading.documents.push({ studyInstanceUid, seriesInstanceUid, ...document });
}
