import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startOrthanc } from "../../../test/peers/orthanc.ts";
import { startPynetdicomCommitment } from "../../../test/peers/pynetdicom.ts";
import { requirePythonPeers } from "../../../test/peers/python-peers.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { outgoingSample, sampleCt } from "../../../test/peers/sample-objects.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { parseDataSet } from "../../dicom/reader.ts";
import { dataSetOf, element, itemsOf, sequenceElement, textElement, uidOf } from "../../dicom/values.ts";
import { encodeDataSet } from "../../dicom/writer.ts";
import { proposeAssociation } from "../upper-layer/negotiation.ts";
import type { Violation } from "../upper-layer/violations.ts";
import { COMMAND_FIELD } from "./command-set.ts";
import { decodeCommitmentRequest, encodeCommitmentRequest } from "./commitment-messages.ts";
import { createCommitments, describeFailureReason } from "./commitments.ts";
import { STORAGE_COMMITMENT_SOP_CLASS, STORAGE_COMMITMENT_SOP_INSTANCE } from "./service-classes.ts";
import type { CommitmentHandler, SopReference } from "./service-types.ts";
import { DimseSession } from "./session.ts";
import { storageContextsFor } from "./storage-contexts.ts";
import { ct, open, ours, serve } from "./testing/pair.ts";
import { type ScriptedRequest, startScriptedProvider } from "./testing/scripted-provider.ts";
import { completeTimeouts } from "./timeouts.ts";

const contexts = [{ abstractSyntaxUid: STORAGE_COMMITMENT_SOP_CLASS, transferSyntaxUids: [EXPLICIT_VR_LITTLE_ENDIAN] }];
const [first, second, third] = [1, 2, 3].map((number) => ({ sopClassUid: ct, sopInstanceUid: `1.2.3.${number}` }));
if (first === undefined || second === undefined || third === undefined) throw new Error("three references");
const three = [first, second, third];

interface Reported {
  readonly transactionUid: string;
  readonly eventTypeId?: number;
  readonly sopInstanceUid?: string;
  readonly committed?: readonly SopReference[];
  readonly failed?: readonly (SopReference & { readonly reason: number })[];
}

/** Event Information. PS3.4 table J.3-2. */
function eventInformation({ transactionUid, committed = [], failed = [] }: Reported): Uint8Array {
  const item = ({ sopClassUid, sopInstanceUid }: SopReference) => [
    textElement(tags.ReferencedSOPClassUID, sopClassUid, "UI"),
    textElement(tags.ReferencedSOPInstanceUID, sopInstanceUid, "UI"),
  ];
  const failures = failed.map((one) =>
    dataSetOf([...item(one), element(tags.FailureReason, "US", Uint8Array.of(one.reason & 0xff, one.reason >> 8))]),
  );
  const information = dataSetOf([
    textElement(tags.TransactionUID, transactionUid, "UI"),
    sequenceElement(
      tags.ReferencedSOPSequence,
      committed.map((one) => dataSetOf(item(one))),
    ),
    sequenceElement(tags.FailedSOPSequence, failures),
  ]);
  return encodeDataSet(information, EXPLICIT_VR_LITTLE_ENDIAN);
}

/** N-EVENT-REPORT over an association, as the archive sends it; the status of our answer. */
async function report(session: DimseSession, reported: Reported): Promise<number> {
  const { eventTypeId = reported.failed === undefined ? 1 : 2, sopInstanceUid } = reported;
  const [context] = session.contexts;
  const { status } = await session.request({
    contextId: context?.id ?? 0,
    service: "N-EVENT-REPORT",
    command: {
      affectedSopClassUid: STORAGE_COMMITMENT_SOP_CLASS,
      commandField: COMMAND_FIELD["N-EVENT-REPORT-RQ"],
      affectedSopInstanceUid: sopInstanceUid ?? STORAGE_COMMITMENT_SOP_INSTANCE,
      eventTypeId,
    },
    dataSet: eventInformation(reported),
  });
  return status;
}

/** What an N-ACTION asks for. */
function asked({ message, dataSet = new Uint8Array(0) }: ScriptedRequest) {
  const information = parseDataSet(dataSet, EXPLICIT_VR_LITTLE_ENDIAN);
  const references = itemsOf(information, tags.ReferencedSOPSequence).map(({ dataSet: item }) => ({
    sopClassUid: uidOf(item, tags.ReferencedSOPClassUID),
    sopInstanceUid: uidOf(item, tags.ReferencedSOPInstanceUID),
  }));
  const { requestedSopClassUid, requestedSopInstanceUid, actionTypeId } = message.command;
  const transactionUid = uidOf(information, tags.TransactionUID) ?? "";
  return { requestedSopClassUid, requestedSopInstanceUid, actionTypeId, transactionUid, references };
}

describe("a request for storage commitment", () => {
  it("says what PS3.4 J.3.2 wants, and takes the result over the same association", async () => {
    const requests: ReturnType<typeof asked>[] = [];
    const answers: number[] = [];
    await using archive = await startScriptedProvider({
      async onRequest(request) {
        const { transactionUid } = asked(request);
        requests.push(asked(request));
        await request.session.respond(request.message, { status: 0x0000 });
        const failed = [{ ...third, reason: 0x0112 }];
        answers.push(await report(request.session, { transactionUid, committed: [first, second], failed }));
      },
    });
    const commitments = createCommitments({ timeoutMs: 5_000, newTransactionUid: () => "2.25.1" });
    await using association = await open(archive, { contexts, commitmentResult: commitments.handler });
    expect(await commitments.request(association, three)).toEqual({
      committed: [first, second],
      failed: [{ ...third, failureReason: 0x0112 }],
      unanswered: [],
    });
    expect(requests).toEqual([
      {
        requestedSopClassUid: "1.2.840.10008.1.20.1",
        requestedSopInstanceUid: "1.2.840.10008.1.20.1.1",
        actionTypeId: 1,
        transactionUid: "2.25.1",
        references: three,
      },
    ]);
    await expect.poll(() => answers).toEqual([0x0000]);
  });

  it("takes the result over an association that the archive opens in the role of the SCP", async () => {
    const commitments = createCommitments({ timeoutMs: 5_000 });
    await using receiver = await serve({ aeTitle: ours, handlers: { commitmentResult: commitments.handler } });
    const [context] = contexts;
    const answers: number[] = [];
    await using archive = await startScriptedProvider({
      async onRequest(request) {
        const { transactionUid } = asked(request);
        await request.session.respond(request.message, { status: 0x0000 });
        await reportAnew(receiver.port, { transactionUid, committed: three }, answers);
      },
    });
    await using association = await open(archive, { contexts });
    expect(context && (await commitments.request(association, three))).toMatchObject({ committed: three, failed: [] });
    await expect.poll(() => answers).toEqual([0x0000]);
  });

  it("is asked for many instances a thousand at a time", async () => {
    const many = Array.from({ length: 2_500 }, (_, index) => ({ sopClassUid: ct, sopInstanceUid: `1.2.3.${index}` }));
    const sizes: number[] = [];
    await using archive = await startScriptedProvider({
      async onRequest(request) {
        const { transactionUid, references } = asked(request);
        sizes.push(references.length);
        await request.session.respond(request.message, { status: 0x0000 });
        const committed = references.map(({ sopInstanceUid = "" }) => ({ sopClassUid: ct, sopInstanceUid }));
        await report(request.session, { transactionUid, committed });
      },
    });
    const commitments = createCommitments({ timeoutMs: 5_000 });
    await using association = await open(archive, { contexts, commitmentResult: commitments.handler });
    expect((await commitments.request(association, many)).committed).toEqual(many);
    expect(sizes).toEqual([1_000, 1_000, 500]);
  });

  it("that is refused has failed, with the status as the reason", async () => {
    await using archive = await startScriptedProvider({
      onRequest: ({ session, message }) => session.respond(message, { status: 0x0213 }),
    });
    const commitments = createCommitments({ timeoutMs: 5_000 });
    await using association = await open(archive, { contexts });
    const { committed, failed } = await commitments.request(association, three);
    expect(committed).toEqual([]);
    expect(failed.map(({ failureReason }) => describeFailureReason(failureReason))).toEqual([
      "Resource limitation",
      "Resource limitation",
      "Resource limitation",
    ]);
  });

  it("counts for nothing what a result leaves out, names as failed too, or was never asked", async () => {
    await using archive = await startScriptedProvider({
      async onRequest(request) {
        const { transactionUid } = asked(request);
        await request.session.respond(request.message, { status: 0x0000 });
        const stranger = { sopClassUid: ct, sopInstanceUid: "1.2.99" };
        const failed = [{ ...second, reason: 0x0110 }];
        await report(request.session, { transactionUid, committed: [first, second, stranger], failed });
      },
    });
    const commitments = createCommitments({ timeoutMs: 5_000 });
    await using association = await open(archive, { contexts, commitmentResult: commitments.handler });
    expect(await commitments.request(association, three)).toEqual({
      committed: [first],
      failed: [{ ...second, failureReason: 0x0110 }],
      unanswered: [third],
    });
  });

  it("is unanswered when no result comes in time; a later one is of an unknown transaction", async () => {
    const transactions: string[] = [];
    const sessions: DimseSession[] = [];
    await using archive = await startScriptedProvider({
      async onRequest(request) {
        transactions.push(asked(request).transactionUid);
        sessions.push(request.session);
        await request.session.respond(request.message, { status: 0x0000 });
      },
    });
    const commitments = createCommitments({ timeoutMs: 50 });
    await using association = await open(archive, { contexts, commitmentResult: commitments.handler });
    expect(await commitments.request(association, three)).toEqual({ committed: [], failed: [], unanswered: three });
    const [session] = sessions;
    if (session === undefined) throw new Error("no association");
    expect(await report(session, { transactionUid: transactions[0] ?? "", committed: three })).toBe(0x0115);
  });

  it("needs a context for it", async () => {
    await using archive = await startScriptedProvider({ onRequest: () => {}, accepts: () => false });
    await using association = await open(archive, { contexts });
    await expect(createCommitments({ timeoutMs: 50 }).request(association, three)).rejects.toMatchObject({
      code: "NO_PRESENTATION_CONTEXT",
    });
  });
});

/** As archives do: an association of its own, itself the SCP by role selection. PS3.4 J.3.3. */
async function reportAnew(port: number, reported: Reported, answers: number[]): Promise<void> {
  const session = new DimseSession({
    socket: connect(port, "127.0.0.1"),
    timeouts: completeTimeouts(undefined),
    maximumPduLength: 16_384,
    negotiation: {
      request: proposeAssociation(
        { calledAeTitle: ours, callingAeTitle: "ARCHIVE" },
        contexts.map((one) => ({ ...one, role: "scp" as const })),
        16_384,
      ),
    },
    onRequest: () => undefined,
  });
  await session.established;
  answers.push(await report(session, reported));
  session.release();
  await session.closed;
}

describe("a report that comes to our provider", () => {
  it.each<readonly [string, Partial<Reported>, CommitmentHandler, number]>([
    ["of a transaction that we know", {}, () => true, 0x0000],
    ["of one that we do not know", {}, () => false, 0x0115],
    ["of another instance than the well-known one", { sopInstanceUid: "1.2.3" }, () => true, 0x0112],
    ["of an event type that there is not", { eventTypeId: 3 }, () => true, 0x0113],
    ["without a transaction", { transactionUid: "" }, () => true, 0x0115],
    ["that we cannot take", {}, () => Promise.reject(new Error("disk")), 0x0110],
  ])("%s", async (_, reported, commitmentResult, status) => {
    await using receiver = await serve({ aeTitle: ours, handlers: { commitmentResult } });
    const answers: number[] = [];
    await reportAnew(receiver.port, { transactionUid: "2.25.1", committed: three, ...reported }, answers);
    expect(answers).toEqual([status]);
  });

  it("is taken only by a provider that waits for some, and only in the role of the SCP", async () => {
    await using deaf = await serve({ aeTitle: ours, handlers: {} });
    await using refused = await open(deaf, { address: addressOf(deaf.port), contexts });
    expect(refused.acceptedContexts).toEqual([]);
    await using receiver = await serve({ aeTitle: ours, handlers: { commitmentResult: () => true } });
    await using asScu = await open(receiver, { address: addressOf(receiver.port), contexts });
    expect(asScu.acceptedContexts).toEqual([]);
  });

  it("over an association that asked for nothing is refused and counted", async () => {
    const violations: Violation[] = [];
    const answers: number[] = [];
    await using archive = await startScriptedProvider({
      async onRequest({ session, message }) {
        answers.push(await report(session, { transactionUid: "2.25.1", committed: three }));
        await session.respond(message, { status: 0x0000 });
      },
    });
    await using association = await open(archive, { contexts, onViolation: (violation) => violations.push(violation) });
    await association.requestCommitment({ transactionUid: "2.25.2", instances: three });
    expect([answers, violations]).toEqual([[0x0211], ["COMMAND_OUT_OF_PLACE"]]);
  });
});

function addressOf(port: number) {
  return { aeTitle: ours, host: "127.0.0.1", port };
}

describe.skipIf(!requirePeer("Orthanc"))("Orthanc", () => {
  const running = new AsyncDisposableStack();
  const commitments = createCommitments({ timeoutMs: 20_000 });
  const held = [sampleCt(1, 1, 1), sampleCt(1, 1, 2)].map(outgoingSample);
  let port = 0;
  beforeAll(async () => {
    const receiver = running.use(await serve({ aeTitle: ours, handlers: { commitmentResult: commitments.handler } }));
    const moveDestinations = [{ aeTitle: ours, port: receiver.port }];
    const orthanc = running.use(await startOrthanc({ aeTitle: "ARCHIVE", moveDestinations }));
    port = orthanc.port;
    const [storage = []] = storageContextsFor(held);
    await using association = await open(orthanc, { contexts: storage });
    for (const instance of held) expect(await association.store(instance)).toEqual({ status: 0x0000 });
  });
  afterAll(() => running.disposeAsync());

  it("commits to what it holds, and to nothing else, and says so over an association of its own", async () => {
    await using association = await open({ port }, { contexts });
    const references = held.map(({ sopClassUid, sopInstanceUid }) => ({ sopClassUid, sopInstanceUid }));
    expect(await commitments.request(association, references)).toEqual({
      committed: references,
      failed: [],
      unanswered: [],
    });
    expect(await commitments.request(association, [...references, first])).toEqual({
      committed: references,
      failed: [{ ...first, failureReason: 0x0112 }],
      unanswered: [],
    });
  });
});

describe.skipIf(!requirePythonPeers())("pynetdicom", () => {
  it.each(["same", "another"])("commits to some instances, and says so over %s association", async (which) => {
    const commitments = createCommitments({ timeoutMs: 20_000 });
    const commitmentResult = commitments.handler;
    await using receiver = await serve({ aeTitle: ours, handlers: { commitmentResult } });
    const report = which === "same" ? "same" : receiver.port;
    await using archive = await startPynetdicomCommitment({ aeTitle: "ARCHIVE", report });
    await using association = await open(archive, { contexts, ...(report === "same" && { commitmentResult }) });
    expect(await commitments.request(association, three)).toEqual({
      committed: [first, third],
      failed: [{ ...second, failureReason: 0x0112 }],
      unanswered: [],
    });
    expect((await commitments.request(association, [first])).committed).toEqual([first]);
    await expect.poll(() => archive.output(), { timeout: 10_000 }).toContain("answered 0000H\nanswered 0000H");
  });
});

it("a request is understood as a whole, or not at all: what is left out of it would never be told of", () => {
  const named = { sopClassUid: ct, sopInstanceUid: "1.2.3" };
  const request = (sopInstanceUid: string): Uint8Array =>
    encodeCommitmentRequest(
      { transactionUid: "1.2.4", instances: [named, { ...named, sopInstanceUid }] },
      EXPLICIT_VR_LITTLE_ENDIAN,
    );
  expect(decodeCommitmentRequest(request("1.2.5"), EXPLICIT_VR_LITTLE_ENDIAN)?.instances).toHaveLength(2);
  expect(decodeCommitmentRequest(request(""), EXPLICIT_VR_LITTLE_ENDIAN)).toBeUndefined();
});
