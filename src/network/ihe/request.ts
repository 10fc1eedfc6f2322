import type { Random } from "../../units/random.ts";
import { quoted } from "../http-client/media-type.ts";
import { newBoundary } from "../multipart/writer.ts";
import { ACTIONS, ANONYMOUS, MEDIA, NAMESPACES } from "./names.ts";

/** One instance to ask for. Where several repositories or communities are behind one source each instance may name its own. */
export interface InstanceReference {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly repositoryUniqueId?: string | undefined;
  readonly homeCommunityId?: string | undefined;
}

export interface RequestOptions {
  /** The endpoint, for `wsa:To`. */
  readonly to: string;
  /** Of instances that name none. */
  readonly repositoryUniqueId: string;
  readonly homeCommunityId?: string | undefined;
  readonly transferSyntaxUids: readonly string[];
  /** `mtom` as the standard has it, or `plain` SOAP 1.2 as some sources want it. */
  readonly encoding: "mtom" | "plain";
}

export interface SoapRequest {
  /** `urn:uuid:…`; the answer relates to it. */
  readonly messageId: string;
  readonly contentType: string;
  readonly body: string;
}

/** A RetrieveImagingDocumentSet request: RAD TF-2 4.69, ITI TF-2 3.43.5, framing of ITI TF-2 appendix V.8. */
export function createRequest(
  instances: readonly InstanceReference[],
  options: RequestOptions,
  random: Random,
): SoapRequest {
  const messageId = `urn:uuid:${uuidOf(random)}`;
  const envelope = envelopeOf(instances, options, messageId);
  if (options.encoding === "plain") {
    const contentType = `${MEDIA.soap12}; charset=UTF-8; action=${quoted(ACTIONS.request)}`;
    return { messageId, contentType, body: envelope };
  }
  const boundary = newBoundary(random);
  const root = `<root.${boundary}@radferry>`;
  const contentType = [
    MEDIA.multipart,
    `boundary=${quoted(boundary)}`,
    `type=${quoted(MEDIA.xop)}`,
    `start=${quoted(root)}`,
    `start-info=${quoted(MEDIA.soap12)}`,
    `action=${quoted(ACTIONS.request)}`,
  ].join("; ");
  const headers = [
    `Content-Type: ${MEDIA.xop}; charset=UTF-8; type="${MEDIA.soap12}"`,
    "Content-Transfer-Encoding: binary",
    `Content-ID: ${root}`,
  ].join("\r\n");
  return { messageId, contentType, body: `--${boundary}\r\n${headers}\r\n\r\n${envelope}\r\n--${boundary}--\r\n` };
}

/** Version 4, RFC 9562 5.4. */
function uuidOf(random: Random): string {
  const bytes = Buffer.from(random.bytes(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Header blocks in the order of ITI TF-2 table V.3.2-1; `mustUnderstand` on Action alone, as some toolkits choke on it elsewhere. */
function envelopeOf(instances: readonly InstanceReference[], options: RequestOptions, messageId: string): string {
  const { soap12, addressing, ihe, iherad } = NAMESPACES;
  const syntaxes = options.transferSyntaxUids.map(
    (uid) => `<r:TransferSyntaxUID>${escapeXml(uid)}</r:TransferSyntaxUID>`,
  );
  return [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<s:Envelope xmlns:s="${soap12}" xmlns:a="${addressing}">`,
    `<s:Header><a:Action s:mustUnderstand="true">${ACTIONS.request}</a:Action>`,
    `<a:MessageID>${messageId}</a:MessageID>`,
    `<a:ReplyTo><a:Address>${ANONYMOUS}</a:Address></a:ReplyTo>`,
    `<a:To>${escapeXml(options.to)}</a:To></s:Header>`,
    `<s:Body><r:RetrieveImagingDocumentSetRequest xmlns:r="${iherad}" xmlns:d="${ihe}">`,
    ...studyRequests(instances, options),
    `<r:TransferSyntaxUIDList>${syntaxes.join("")}</r:TransferSyntaxUIDList>`,
    `</r:RetrieveImagingDocumentSetRequest></s:Body></s:Envelope>`,
  ].join("");
}

/** Studies, series and instances in the order in which each comes first. */
function* studyRequests(instances: readonly InstanceReference[], options: RequestOptions): Generator<string> {
  const studies = Map.groupBy(instances, ({ studyInstanceUid }) => studyInstanceUid);
  for (const [study, ofStudy] of studies) {
    yield `<r:StudyRequest studyInstanceUID="${escapeXml(study)}">`;
    for (const [series, ofSeries] of Map.groupBy(ofStudy, ({ seriesInstanceUid }) => seriesInstanceUid)) {
      yield `<r:SeriesRequest seriesInstanceUID="${escapeXml(series)}">`;
      for (const instance of ofSeries) yield documentRequest(instance, options);
      yield "</r:SeriesRequest>";
    }
    yield "</r:StudyRequest>";
  }
}

function documentRequest(instance: InstanceReference, options: RequestOptions): string {
  const { homeCommunityId = options.homeCommunityId, repositoryUniqueId = options.repositoryUniqueId } = instance;
  const community =
    homeCommunityId === undefined ? "" : `<d:HomeCommunityId>${escapeXml(homeCommunityId)}</d:HomeCommunityId>`;
  return [
    `<d:DocumentRequest>${community}`,
    `<d:RepositoryUniqueId>${escapeXml(repositoryUniqueId)}</d:RepositoryUniqueId>`,
    `<d:DocumentUniqueId>${escapeXml(instance.sopInstanceUid)}</d:DocumentUniqueId></d:DocumentRequest>`,
  ].join("");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

/** Text or attribute value; characters that XML 1.0 2.2 cannot hold are replaced. */
export function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[&<>"'\t\n\r]/g, (character) => ESCAPES[character] ?? "")
    .replaceAll(/[^\x20-\uD7FF\uD800-\uDFFF\uE000-\uFFFD]/g, "\uFFFD");
}
