import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { associateRequestPdu, dataPdu } from "../../../test/peers/pdu-fixtures.ts";
import { outgoingSample, sampleCt } from "../../../test/peers/sample-objects.ts";
import { playScript, type Step } from "../../../test/peers/scripted-peer.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { IMPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { dataSetOf, textElement } from "../../dicom/values.ts";
import { encodeDataSet } from "../../dicom/writer.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { proposeAssociation } from "../upper-layer/negotiation.ts";
import type { AssociateRequest } from "../upper-layer/pdu.ts";
import { decodePdu } from "../upper-layer/pdu-decoder.ts";
import { encodePdu } from "../upper-layer/pdu-encoder.ts";
import { COMMAND_FIELD, encodeCommandSet } from "./command-set.ts";
import { QUERY_RETRIEVE_SOP_CLASSES } from "./service-classes.ts";
import { STATUS } from "./status.ts";
import { ct, open, serve, transferSyntaxUids } from "./testing/pair.ts";
import { type ScriptedRequest, startScriptedProvider } from "./testing/scripted-provider.ts";

const identifier = dataSetOf([textElement(tags.QueryRetrieveLevel, "STUDY")]);
const getSopClass = QUERY_RETRIEVE_SOP_CLASSES["study-root"].get;

it("an echo is answered well by a success alone", async () => {
  await using provider = await startScriptedProvider({
    onRequest: ({ session, message }) => session.respond(message, { status: STATUS.processingFailure }),
  });
  await using association = await open(provider);
  await expect(association.echo()).rejects.toMatchObject({ code: "DIMSE_FAILED" });
});

/** Sends an instance over the first context of a class, and tells what became of it. */
async function push({ session }: ScriptedRequest, abstractSyntaxUid: string, sopInstanceUid: string): Promise<number> {
  const context = session.contexts.find((each) => each.abstractSyntaxUid === abstractSyntaxUid);
  const command = {
    affectedSopClassUid: abstractSyntaxUid,
    affectedSopInstanceUid: sopInstanceUid,
    commandField: COMMAND_FIELD["C-STORE-RQ"],
  };
  const dataSet = Buffer.from("not looked at");
  return (await session.request({ contextId: context?.id ?? 0, service: "C-STORE", command, dataSet })).status;
}

it("an archive gives instances during a C-GET alone, and over contexts that were offered for them alone", async () => {
  const told = Promise.withResolvers<readonly number[]>();
  const over = Promise.withResolvers<void>();
  await using provider = await startScriptedProvider({
    async onRequest(request) {
      const { session, message } = request;
      const early = await push(request, ct, "1.2.1");
      const elsewhere = await push(request, getSopClass, "1.2.2");
      await session.respond(message, { status: STATUS.success });
      await over.promise;
      told.resolve([early, elsewhere, await push(request, ct, "1.2.3")]);
    },
  });
  const contexts = [
    { abstractSyntaxUid: getSopClass, transferSyntaxUids },
    { abstractSyntaxUid: ct, transferSyntaxUids, role: "scp" as const },
  ];
  const violations: string[] = [];
  await using association = await open(provider, { contexts, onViolation: (each) => void violations.push(each) });
  const taken: string[] = [];
  await association.get({ model: "study-root", identifier }, async ({ sopInstanceUid }) => {
    taken.push(sopInstanceUid);
    return { write: () => {}, close: async () => STATUS.success, abort: async () => {} };
  });
  over.resolve();
  expect(await told.promise).toEqual([STATUS.success, STATUS.unrecognizedOperation, STATUS.unrecognizedOperation]);
  expect([taken, violations]).toEqual([["1.2.1"], ["COMMAND_OUT_OF_PLACE", "COMMAND_OUT_OF_PLACE"]]);
});

it("what is left behind with a question open is aborted: its answer will never be read", async () => {
  await using provider = await startScriptedProvider({ onRequest: () => undefined });
  const association = await open(provider);
  const finding = association.find({ model: "study-root", identifier }).next();
  finding.catch(() => undefined);
  await association[Symbol.asyncDispose]();
  expect(await provider.ended).toMatchObject({ details: { by: "peer" } });
  await expect(finding).rejects.toMatchObject({ code: "CANCELLED" });
});

it("who does not answer a request for an association has no more time to close the connection", async () => {
  const gone = Promise.withResolvers<void>();
  await using server = createServer({ allowHalfOpen: true }, (socket) => {
    // Of a connection whose other end is still there nothing but the data would come back.
    const ask = (): void => void socket.write(Buffer.alloc(1), () => setImmediate(ask));
    socket.resume().on("error", () => undefined);
    socket.once("end", ask).once("close", () => gone.resolve());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const timeouts = { connectTimeoutMs: 50, artimTimeoutMs: 600_000, idleTimeoutMs: 600_000 };
  await expect(open({ port }, { timeouts })).rejects.toMatchObject({ code: "TIMED_OUT" });
  await gone.promise;
});

it("a user of a type that nobody knows is no known user", async () => {
  const request = decodePdu(0x01, associateRequestPdu.subarray(6)) as AssociateRequest;
  const primary = Buffer.from("reader");
  const userIdentity = { type: 9, positiveResponseRequested: false, primary, secondary: new Uint8Array(0) };
  const bytes = encodePdu({ ...request, userInformation: { ...request.userInformation, userIdentity } });
  await using server = await serve({ rules: { calledAeTitles: "any", authenticate: () => true } });
  await playScript(server.port, [{ send: associateRequestPdu }, { expectPdu: 0x02 }]);
  await playScript(server.port, [{ send: bytes }, { expectPdu: 0x03 }]);
});

describe("a provider that was asked a question", () => {
  const findSopClass = QUERY_RETRIEVE_SOP_CLASSES["study-root"].find;
  const asked = {
    affectedSopClassUid: findSopClass,
    commandField: COMMAND_FIELD["C-FIND-RQ"],
    priority: 0,
    commandDataSetType: 1,
  };
  const question = encodeDataSet(identifier, IMPLICIT_VR_LITTLE_ENDIAN);
  const ask = (messageId: number): Step => ({
    send: Buffer.concat([
      dataPdu(1, 0x03, encodeCommandSet({ ...asked, messageId })),
      dataPdu(1, 0x02, Buffer.from(question)),
    ]),
  });
  const association: readonly Step[] = [
    {
      send: encodePdu(
        proposeAssociation(
          { calledAeTitle: "ARCHIVE", callingAeTitle: "CURIOUS" },
          [{ abstractSyntaxUid: findSopClass, transferSyntaxUids: [IMPLICIT_VR_LITTLE_ENDIAN] }],
          16_384,
        ),
      ),
    },
    { expectPdu: 0x02 },
  ];

  it("does not take another before it has answered", async () => {
    const find = async function* (_: unknown, __: unknown, signal: AbortSignal) {
      await once(signal, "abort");
      yield* [];
    };
    const violations: string[] = [];
    await using server = await serve({ handlers: { find }, onViolation: (each) => void violations.push(each) });
    await playScript(server.port, [...association, ask(1), ask(2), { expectPdu: 0x07 }]);
    expect(violations).toEqual(["COMMAND_OUT_OF_PLACE"]);
  });

  it("takes its time, and waits for the next one as long as for the first", async () => {
    const find = async function* () {
      await setTimeout(300);
      yield* [];
    };
    await using server = await serve({ handlers: { find }, timeouts: { idleTimeoutMs: 100 } });
    // The command of the answer; then, as nothing more is asked, the abort.
    await playScript(server.port, [...association, ask(1), { expectPdu: 0x04 }, { expectPdu: 0x07 }]);
  });
});

it("a place that could not take the first bytes of an instance is not given the others", async () => {
  const given: string[] = [];
  const sink = {
    write: async () => {
      given.push("bytes");
      throw new GatewayError("STAGING_FULL");
    },
    close: async () => STATUS.success,
    abort: async () => void given.push("end"),
  };
  await using server = await serve({ handlers: { store: async () => sink } });
  const sample = sampleCt(1, 1, 1, 1_024);
  await using association = await open(server, { contexts: [{ abstractSyntaxUid: ct, transferSyntaxUids }] });
  expect(await association.store(outgoingSample(sample))).toEqual({ status: STATUS.outOfResources });
  expect(given).toEqual(["bytes", "end"]);
});
