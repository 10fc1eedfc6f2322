import { describe, expect, it } from "vitest";
import { createRequest } from "../../../src/network/ihe/request.ts";
import { envelopeOf } from "../../../src/network/ihe/responder/answer-writer.ts";
import type { AnswerPlan } from "../../../src/network/ihe/responder/plan.ts";
import { type ResponderOptions, startRad69Responder } from "../../../src/network/ihe/responder/responder.ts";
import { someInstances, sourceOf } from "../../../src/network/ihe/testing/instances.ts";
import { seededRandom } from "../../../src/units/random.ts";
import { downloadWithTrolley } from "../../peers/dicomtrolley.ts";
import { requirePythonPeers } from "../../peers/python-peers.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const hasTrolley = requirePythonPeers();
const held = someInstances(2, 2);
const uids = held.map(({ sopInstanceUid }) => sopInstanceUid).sort();

async function trolley(options: Partial<ResponderOptions>, how?: Parameters<typeof downloadWithTrolley>[3]) {
  await using folder = await temporaryFolder();
  await using responder = await startRad69Responder({ source: sourceOf(held), ...options });
  const { came, failure } = await downloadWithTrolley(responder.url, folder.path, held, how);
  return { came: came.toSorted(), failure };
}

describe.skipIf(!hasTrolley)("E1 dicomtrolley downloads from our responder", () => {
  it("when it is lenient: series by series, all at once, and with several workers", async () => {
    const expected = { came: uids, failure: null };
    const downloads = await Promise.all([
      trolley({ lenient: true }),
      trolley({ lenient: true, profile: "vitrea" }, "single"),
      trolley({ lenient: true, profile: "axis2" }, "async"),
    ]);
    expect(downloads).toEqual([expected, expected, expected]);
  });

  it.each(["series", "single", "async"] as const)("and is told what there is not, %s", async (how) => {
    await using folder = await temporaryFolder();
    await using responder = await startRad69Responder({ source: sourceOf([]), lenient: true });
    expect(await downloadWithTrolley(responder.url, folder.path, held, how)).toEqual({
      came: [],
      failure: "Rad69ServerError",
      seconds: expect.any(Number),
    });
  });

  it("is refused by a strict one, and stumbles over the line end that CXF begins with", async () => {
    const [strict, cxf] = await Promise.all([trolley({}), trolley({ lenient: true, profile: "cxf" })]);
    expect(strict).toEqual({ came: [], failure: "DICOMTrolleyError" });
    expect(cxf.came).toEqual([]);
    expect(cxf.failure).not.toBeNull();
  });
});

/** What NIST's test ids_4812 asks of a source. */
describe("E2 a source that is asked for what it cannot give", () => {
  const [first, , third] = held;
  if (first === undefined || third === undefined) throw new Error("no instances");
  const repositoryUniqueId = "1.2.3";
  const transferSyntaxUids = [first.transferSyntaxUid];
  const sound = { repositoryUniqueId, transferSyntaxUids, instance: first };

  /** The answer, before it is written, and written. */
  async function ask({ repositoryUniqueId: asked, transferSyntaxUids: syntaxes, instance }: typeof sound) {
    let seen: AnswerPlan | undefined;
    await using responder = await startRad69Responder({
      source: sourceOf(held),
      repositoryUniqueId,
      alter: (plan) => {
        seen = plan;
        return plan;
      },
    });
    const options = {
      to: responder.url,
      repositoryUniqueId: asked,
      transferSyntaxUids: syntaxes,
      encoding: "mtom",
    } as const;
    const { body, contentType } = createRequest([instance], options, seededRandom(1));
    const response = await fetch(responder.url, { method: "POST", body, headers: { "content-type": contentType } });
    return { plan: seen, text: await response.text(), status: response.status };
  }

  it("gives what it has", async () => {
    const { plan, text } = await ask(sound);
    expect(plan?.status).toMatch(/:Success$/);
    expect(text).toContain("DICM");
  });

  it.each([
    ["another repository", { ...sound, repositoryUniqueId: "1.2.4" }, "XDSUnknownRepositoryId"],
    ["an unknown instance", { ...sound, instance: { ...first, sopInstanceUid: "1.5" } }, "XDSDocumentUniqueIdError"],
    [
      "an instance of another series",
      { ...sound, instance: { ...first, seriesInstanceUid: third.seriesInstanceUid } },
      "XDSDocumentUniqueIdError",
    ],
    [
      "an instance of another study",
      { ...sound, instance: { ...first, studyInstanceUid: "1.6" } },
      "XDSDocumentUniqueIdError",
    ],
    ["no study", { ...sound, instance: { ...first, studyInstanceUid: "" } }, "XDSIRequestError"],
    ["no series", { ...sound, instance: { ...first, seriesInstanceUid: "" } }, "XDSIRequestError"],
    [
      "neither study nor series",
      { ...sound, instance: { ...first, studyInstanceUid: "", seriesInstanceUid: "" } },
      "XDSIRequestError",
    ],
    ["an empty transfer syntax", { ...sound, transferSyntaxUids: [""] }, "XDSRepositoryError"],
    ["an unknown transfer syntax", { ...sound, transferSyntaxUids: ["1.2.3.4"] }, "XDSRepositoryError"],
  ])("%s", async (_, request, code) => {
    const { plan, text } = await ask(request);
    if (plan === undefined) throw new Error("no answer");
    expect(plan.status).toMatch(/:Failure$/);
    expect(plan.errors.map(({ errorCode, severity }) => [errorCode, severity])).toEqual([[code, "error"]]);
    expect(plan.parts).toEqual([]);
    expect(text).toContain(envelopeOf(plan));
    expect(text).not.toContain("DICM");
  });

  it.each([
    ["no Action", (xml: string) => xml.replace(/<a:Action.*?<\/a:Action>/, ""), 400],
    ["another Action", (xml: string) => xml.replace("RetrieveImagingDocumentSet<", "Other<"), 400],
    ["two requests", (xml: string) => xml.replace(/<r:Retr.*<\/r:Retr[^>]*>/, "$&$&"), 400],
    ["text in the body", (xml: string) => xml.replace("<s:Body>", "<s:Body>response"), 400],
    ["an answer elsewhere", (xml: string) => xml.replace("/anonymous", "/elsewhere"), 400],
    ["no XML", (xml: string) => xml.slice(0, -20), 400],
    ["what it should be", (xml: string) => xml, 200],
  ])("answers a message with %s", async (_, alter, status) => {
    await using responder = await startRad69Responder({ source: sourceOf(held) });
    const options = { to: responder.url, repositoryUniqueId, transferSyntaxUids, encoding: "plain" } as const;
    const { body, contentType } = createRequest([first], options, seededRandom(1));
    const response = await fetch(responder.url, {
      method: "POST",
      body: alter(body),
      headers: { "content-type": contentType },
    });
    const text = await response.text();
    expect(response.status).toBe(status);
    expect(text.includes("Fault")).toBe(status === 400);
  });

  it.each([
    ["plain", "application/soap+xml"],
    ["mtom", "multipart/related"],
  ] as const)("says in %s, as it was asked, that it has nothing of it", async (encoding, type) => {
    await using responder = await startRad69Responder({ source: sourceOf([]) });
    const options = { to: responder.url, repositoryUniqueId, transferSyntaxUids, encoding };
    const { body, contentType } = createRequest([first], options, seededRandom(1));
    const response = await fetch(responder.url, { method: "POST", body, headers: { "content-type": contentType } });
    expect([response.status, response.headers.get("content-type")?.split(";")[0]]).toEqual([200, type]);
    expect(await response.text()).toContain("XDSDocumentUniqueIdError");
  });
});
