import { expect, it } from "vitest";
import { NAMESPACES } from "../names.ts";
import { readImagingDocumentSetRequest } from "./request-reader.ts";

function envelopeOf(body: string): string {
  return `<s:Envelope xmlns:s="${NAMESPACES.soap12}"><s:Body>${body}</s:Body></s:Envelope>`;
}

it("names a document by nothing that stood outside of one, in this request or in one before", () => {
  const stray = "<HomeCommunityId>urn:oid:9.9</HomeCommunityId><DocumentUniqueId>1.2.3</DocumentUniqueId>";
  readImagingDocumentSetRequest(envelopeOf(stray));
  const { documents } = readImagingDocumentSetRequest(envelopeOf("<DocumentRequest></DocumentRequest>"));
  expect(documents).toEqual([
    {
      studyInstanceUid: "",
      seriesInstanceUid: "",
      documentUniqueId: "",
      repositoryUniqueId: "",
      homeCommunityId: undefined,
    },
  ]);
});
