import { quoted } from "../../http-client/media-type.ts";
import { type OutgoingPart, writeMultipart } from "../../multipart/writer.ts";
import { MEDIA, NAMESPACES, SEVERITY } from "../names.ts";
import { escapeXml } from "../request.ts";
import type { AnswerPlan, PlannedDocument } from "./plan.ts";

/** The envelope of an answer. ITI TF-2 3.43.5; ITI TF-2 appendix V.3 for its header. */
export function envelopeOf(plan: AnswerPlan): string {
  const { soap12, addressing } = NAMESPACES;
  const relatesTo = plan.relatesTo === undefined ? "" : `<a:RelatesTo>${escapeXml(plan.relatesTo)}</a:RelatesTo>`;
  return [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<s:Envelope xmlns:s="${soap12}" xmlns:a="${addressing}" xmlns:wsa="${addressing}">`,
    `<s:Header><a:Action s:mustUnderstand="true">${escapeXml(plan.action)}</a:Action>${relatesTo}</s:Header>`,
    `<s:Body>${plan.fault === undefined ? responseOf(plan) : faultOf(plan.fault)}</s:Body></s:Envelope>`,
  ].join("");
}

function responseOf({ status, errors, documents }: AnswerPlan): string {
  const { ihe, registry } = NAMESPACES;
  const listed = errors.map(
    ({ errorCode, codeContext, severity, location }) =>
      `<r:RegistryError errorCode="${escapeXml(errorCode)}" codeContext="${escapeXml(codeContext)}" severity="${SEVERITY[severity]}" location="${escapeXml(location)}"/>`,
  );
  const highest = errors.some(({ severity }) => severity === "error") ? SEVERITY.error : SEVERITY.warning;
  const list =
    listed.length === 0
      ? ""
      : `<r:RegistryErrorList highestSeverity="${highest}">${listed.join("")}</r:RegistryErrorList>`;
  return [
    `<d:RetrieveDocumentSetResponse xmlns:d="${ihe}" xmlns:r="${registry}">`,
    `<r:RegistryResponse status="${escapeXml(status)}">${list}</r:RegistryResponse>`,
    ...documents.map(documentOf),
    "</d:RetrieveDocumentSetResponse>",
  ].join("");
}

function documentOf({
  homeCommunityId,
  repositoryUniqueId,
  documentUniqueId,
  href,
  inline = "",
}: PlannedDocument): string {
  const community =
    homeCommunityId === undefined ? "" : `<d:HomeCommunityId>${escapeXml(homeCommunityId)}</d:HomeCommunityId>`;
  const content = href === undefined ? inline : `<x:Include xmlns:x="${NAMESPACES.xop}" href="${escapeXml(href)}"/>`;
  return [
    `<d:DocumentResponse>${community}`,
    `<d:RepositoryUniqueId>${escapeXml(repositoryUniqueId)}</d:RepositoryUniqueId>`,
    `<d:DocumentUniqueId>${escapeXml(documentUniqueId)}</d:DocumentUniqueId>`,
    `<d:mimeType>${MEDIA.dicom}</d:mimeType><d:Document>${content}</d:Document></d:DocumentResponse>`,
  ].join("");
}

function faultOf({ code, subcode, reason }: NonNullable<AnswerPlan["fault"]>): string {
  const inner = subcode === undefined ? "" : `<s:Subcode><s:Value>${escapeXml(subcode)}</s:Value></s:Subcode>`;
  return [
    `<s:Fault><s:Code><s:Value>s:${code}</s:Value>${inner}</s:Code>`,
    `<s:Reason><s:Text xml:lang="en">${escapeXml(reason)}</s:Text></s:Reason></s:Fault>`,
  ].join("");
}

/** The content type of an answer. */
export function contentTypeOf({ contentType, framing, boundary, rootId }: AnswerPlan): string {
  if (contentType !== undefined) return contentType;
  if (framing === "plain") return `${MEDIA.soap12}; charset=utf-8`;
  return [
    MEDIA.multipart,
    `type=${quoted(MEDIA.xop)}`,
    `boundary=${quoted(boundary)}`,
    `start=${quoted(rootId)}`,
    `start-info=${quoted(MEDIA.soap12)}`,
  ].join("; ");
}

/** The body of an answer; documents are opened when their turn comes. */
export function bodyOf(plan: AnswerPlan): AsyncIterable<Uint8Array> {
  const envelope = Buffer.from(envelopeOf(plan));
  if (plan.framing === "plain") return single(envelope);
  const root: OutgoingPart = {
    headers: [
      ["Content-Type", `${MEDIA.xop}; charset=UTF-8; type="${MEDIA.soap12}"`],
      ["Content-Transfer-Encoding", "binary"],
      ["Content-ID", plan.rootId],
    ],
    body: envelope,
  };
  const { boundary, leadingLineEnd, finalLineEnd } = plan;
  return writeMultipart(partsOf(root, plan), { boundary, leadingLineEnd, finalLineEnd });
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
}

function* partsOf(root: OutgoingPart, { parts }: AnswerPlan): Generator<OutgoingPart, undefined> {
  yield root;
  for (const { headers, open } of parts) yield { headers, body: open() };
}
