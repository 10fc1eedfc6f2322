import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startOrthanc } from "../../../test/peers/orthanc.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { outgoingSample, sampleCt } from "../../../test/peers/sample-objects.ts";
import { parseAeTitle } from "../../dicom/ae-title.ts";
import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { dataSetOf, textElement } from "../../dicom/values.ts";
import { encodeDataSet } from "../../dicom/writer.ts";
import { openAssociation } from "./association.ts";
import { COMMAND_FIELD } from "./command-set.ts";
import { QUERY_RETRIEVE_SOP_CLASSES, VERIFICATION_SOP_CLASS } from "./service-classes.ts";
import type { DimseTimeouts } from "./service-types.ts";
import { storageContextsFor } from "./storage-contexts.ts";
import { startScriptedProvider } from "./testing/scripted-provider.ts";

const { find } = QUERY_RETRIEVE_SOP_CLASSES["study-root"];
const contexts = [find, VERIFICATION_SOP_CLASS].map((abstractSyntaxUid) => ({
  abstractSyntaxUid,
  transferSyntaxUids: [EXPLICIT_VR_LITTLE_ENDIAN],
}));

function open(port: number, timeouts: Partial<DimseTimeouts> = {}) {
  const address = { aeTitle: parseAeTitle("ARCHIVE"), host: "127.0.0.1", port };
  return openAssociation({ address, callingAeTitle: parseAeTitle("RADFERRY"), contexts, timeouts });
}

const anyStudy = dataSetOf([
  textElement(tags.QueryRetrieveLevel, "STUDY", "CS"),
  textElement(tags.StudyInstanceUID, "", "UI"),
]);

/** How many answers came, and what ended them. */
async function outcomeOf(answers: AsyncIterable<DataSet>) {
  let count = 0;
  try {
    for await (const _ of answers) count += 1;
  } catch (error) {
    return { count, error };
  }
  return { count, error: undefined };
}

/** Answers every C-FIND with two matches and a final status. */
function startArchive(finalStatus: number) {
  return startScriptedProvider({
    async onRequest({ session, message }) {
      if (message.command.commandField === COMMAND_FIELD["C-ECHO-RQ"]) {
        await session.respond(message, { status: 0x0000 });
        return;
      }
      const match = encodeDataSet(anyStudy, EXPLICIT_VR_LITTLE_ENDIAN);
      for (let sent = 0; sent < 2; sent += 1) await session.respond(message, { status: 0xff00 }, match);
      await session.respond(message, { status: finalStatus });
    },
  });
}

describe("a provider that has more answers than it gives", () => {
  it.each([
    ["the response limit", 0xb001, "B001H"],
    ["a cancel that nobody asked for", 0xfe00, "FE00H"],
  ])(
    "ends with %s: its answers are given, then the caller is told, and the association goes on",
    async (_, status, text) => {
      await using archive = await startArchive(status);
      await using association = await open(archive.port);
      expect(await outcomeOf(association.find({ model: "study-root", identifier: anyStudy }))).toEqual({
        count: 2,
        error: expect.objectContaining({ code: "FIND_LIMIT_REACHED", details: { by: "peer", status: text } }),
      });
      await association.echo();
    },
  );

  it("is not asked to cancel when our maximum is what it has", async () => {
    await using archive = await startArchive(0x0000);
    await using association = await open(archive.port);
    const request = { model: "study-root", identifier: anyStudy, maximumAnswers: 2 } as const;
    expect(await outcomeOf(association.find(request))).toEqual({ count: 2, error: undefined });
    expect(archive.commands).toEqual([COMMAND_FIELD["C-FIND-RQ"]]);
  });
});

it("aborts the association of a provider that ignores C-CANCEL", async () => {
  const match = encodeDataSet(anyStudy, EXPLICIT_VR_LITTLE_ENDIAN);
  await using archive = await startScriptedProvider({
    async onRequest({ session, message }) {
      while (message.command.commandField === COMMAND_FIELD["C-FIND-RQ"] && !session.signal.aborted) {
        await session.respond(message, { status: 0xff00 }, match);
        await new Promise(setImmediate);
      }
    },
  });
  await using association = await open(archive.port, { artimTimeoutMs: 50 });
  for await (const _ of association.find({ model: "study-root", identifier: anyStudy })) break;
  expect(archive.commands).toEqual([COMMAND_FIELD["C-FIND-RQ"], COMMAND_FIELD["C-CANCEL-RQ"]]);
  expect(await archive.ended).toMatchObject({ code: "ASSOCIATION_ABORTED", details: { by: "peer" } });
  await expect(association.echo()).rejects.toMatchObject({ code: "TIMED_OUT" });
});

describe.skipIf(!requirePeer("Orthanc"))("Orthanc with a limit of its own", () => {
  const running = new AsyncDisposableStack();
  let port = 0;
  beforeAll(async () => {
    const orthanc = running.use(await startOrthanc({ aeTitle: "ARCHIVE", configuration: { LimitFindResults: 2 } }));
    port = orthanc.port;
    const instances = [1, 2, 3].map((study) => outgoingSample(sampleCt(study, 1, 1)));
    const address = { aeTitle: parseAeTitle("ARCHIVE"), host: "127.0.0.1", port };
    const [storage = []] = storageContextsFor(instances);
    await using association = await openAssociation({
      address,
      callingAeTitle: parseAeTitle("RADFERRY"),
      contexts: storage,
    });
    for (const instance of instances) await association.store(instance);
  });
  afterAll(() => running.disposeAsync());

  it("is found out: there are more studies than it lists", async () => {
    await using association = await open(port);
    expect(await outcomeOf(association.find({ model: "study-root", identifier: anyStudy }))).toEqual({
      count: 2,
      error: expect.objectContaining({ code: "FIND_LIMIT_REACHED", details: { by: "peer", status: "FE00H" } }),
    });
  });
});
