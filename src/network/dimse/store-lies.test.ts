import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../test/peers/memory-archive.ts";
import { outgoingSample, sampleCt } from "../../../test/peers/sample-objects.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { dataSetOf, textElement } from "../../dicom/values.ts";
import type { Violation } from "../upper-layer/violations.ts";
import { COMMAND_FIELD } from "./command-set.ts";
import { QUERY_RETRIEVE_SOP_CLASSES } from "./service-classes.ts";
import type { StoreHandler } from "./service-types.ts";
import { storageContextsFor, storageContextsForGet } from "./storage-contexts.ts";
import { ct, open, serve } from "./testing/pair.ts";
import { startScriptedProvider } from "./testing/scripted-provider.ts";

const MR = "1.2.840.10008.5.1.4.1.1.4";
const honest = outgoingSample(sampleCt(1, 1, 1));

/** A store that writes down how each of its sinks ended. */
function watchedStore() {
  const ends: string[] = [];
  const { received, handler } = memoryStore();
  const watched: StoreHandler = async (instance, signal) => {
    const sink = await handler(instance, signal);
    if ("refuse" in sink) return sink;
    return {
      write: (chunk) => sink.write(chunk),
      async close() {
        ends.push("closed");
        return await sink.close();
      },
      async abort() {
        ends.push("aborted");
        await sink.abort();
      },
    };
  };
  return { ends, received, handler: watched };
}

describe("a peer that stores another object than it announced", () => {
  it.each([
    ["instance", { ...honest, sopInstanceUid: "1.2.3.4" }, "INSTANCE_UID_DIFFERS"],
    ["class", { ...honest, sopClassUid: MR }, "SOP_CLASS_DIFFERS"],
  ] as const)(
    "(%s) is answered A900H and counted; nothing is stored and the association goes on",
    async (_, lie, code) => {
      const { ends, received, handler } = watchedStore();
      const violations: Violation[] = [];
      await using server = await serve({
        handlers: { store: handler },
        onViolation: (violation) => violations.push(violation),
      });
      const [contexts = []] = storageContextsFor([honest, lie]);
      await using association = await open(server, { contexts });
      expect(await association.store(lie)).toEqual({ status: 0xa900 });
      expect([ends, violations, received.size]).toEqual([["aborted"], [code], 0]);
      expect(await association.store(honest)).toEqual({ status: 0x0000 });
      expect([ends, violations, received.size]).toEqual([["aborted", "closed"], [code], 1]);
    },
  );

  it("is found out when every fragment is tiny", async () => {
    const { ends, handler } = watchedStore();
    await using server = await serve({ handlers: { store: handler }, maximumPduLength: 16 });
    const [contexts = []] = storageContextsFor([honest]);
    await using association = await open(server, { contexts });
    expect(await association.store({ ...honest, sopInstanceUid: "1.2.3.4" })).toEqual({ status: 0xa900 });
    expect(await association.store(honest)).toEqual({ status: 0x0000 });
    expect(ends).toEqual(["aborted", "closed"]);
  });
});

/** A C-STORE command and data set of the scripted provider during our C-GET, and how we answered. */
async function answerInGet(command: {
  readonly affectedSopClassUid: string;
  readonly affectedSopInstanceUid: string;
}): Promise<{
  readonly status: number | undefined;
  readonly stored: number;
  readonly violations: readonly Violation[];
}> {
  const { received, handler } = memoryStore();
  const violations: Violation[] = [];
  let status: number | undefined;
  await using archive = await startScriptedProvider({
    async onRequest({ session, message }) {
      const context = session.contexts.find(({ abstractSyntaxUid }) => abstractSyntaxUid === ct);
      const answer = await session.request({
        contextId: context?.id ?? 0,
        service: "C-STORE",
        command: { ...command, commandField: COMMAND_FIELD["C-STORE-RQ"], priority: 0 },
        dataSet: honest.open(),
      });
      status = answer.status;
      await session.respond(message, { status: 0x0000 });
    },
  });
  const getContext = {
    abstractSyntaxUid: QUERY_RETRIEVE_SOP_CLASSES["study-root"].get,
    transferSyntaxUids: [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN],
  };
  await using association = await open(archive, {
    contexts: [getContext, ...storageContextsForGet([ct])],
    onViolation: (violation) => violations.push(violation),
  });
  const identifier = dataSetOf([textElement(tags.QueryRetrieveLevel, "STUDY", "CS")]);
  await association.get({ model: "study-root", identifier }, handler);
  return { status, stored: received.size, violations };
}

describe("an archive that answers C-GET", () => {
  const { sopClassUid, sopInstanceUid } = honest;
  it.each<readonly [string, Parameters<typeof answerInGet>[0], Awaited<ReturnType<typeof answerInGet>>]>([
    [
      "what it announces",
      { affectedSopClassUid: sopClassUid, affectedSopInstanceUid: sopInstanceUid },
      { status: 0x0000, stored: 1, violations: [] },
    ],
    [
      "another instance",
      { affectedSopClassUid: sopClassUid, affectedSopInstanceUid: "1.2.3.4" },
      { status: 0xa900, stored: 0, violations: ["INSTANCE_UID_DIFFERS"] },
    ],
    [
      "another class than the presentation context",
      { affectedSopClassUid: MR, affectedSopInstanceUid: sopInstanceUid },
      { status: 0x0122, stored: 0, violations: ["SOP_CLASS_DIFFERS"] },
    ],
    [
      "an instance whose UID is a path",
      { affectedSopClassUid: sopClassUid, affectedSopInstanceUid: "../../1.2" },
      { status: 0x0117, stored: 0, violations: ["COMMAND_MALFORMED"] },
    ],
  ])("sends %s", async (_, command, outcome) => {
    expect(await answerInGet(command)).toEqual(outcome);
  });
});

it("refuses and counts a C-STORE that no C-GET asked for", async () => {
  const violations: Violation[] = [];
  const answered = Promise.withResolvers<number>();
  await using archive = await startScriptedProvider({
    async onRequest({ session, message }) {
      const [context] = session.contexts;
      const { status } = await session.request({
        contextId: context?.id ?? 0,
        service: "C-STORE",
        command: {
          affectedSopClassUid: ct,
          commandField: COMMAND_FIELD["C-STORE-RQ"],
          priority: 0,
          affectedSopInstanceUid: "1.2.3",
        },
        dataSet: honest.open(),
      });
      answered.resolve(status);
      await session.respond(message, { status: 0x0000 });
    },
  });
  await using association = await open(archive, { onViolation: (violation) => violations.push(violation) });
  await association.echo();
  expect(await answered.promise).toBe(0x0211);
  expect(violations).toEqual(["COMMAND_OUT_OF_PLACE"]);
});
