import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { outgoingSample, sampleCt } from "../../../test/peers/sample-objects.ts";
import { parseAeTitle } from "../../dicom/ae-title.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { parseDataSet } from "../../dicom/reader.ts";
import { parseSopInstanceUid, parseStudyInstanceUid } from "../../dicom/uid.ts";
import { textOf } from "../../dicom/values.ts";
import { openAssociation } from "../../network/dimse/association.ts";
import { COMMAND_FIELD } from "../../network/dimse/command-set.ts";
import { startDimseServer } from "../../network/dimse/server.ts";
import type { DimseServer, StoreHandler } from "../../network/dimse/service-types.ts";
import { storageContextsFor } from "../../network/dimse/storage-contexts.ts";
import {
  type ScriptedProviderOptions,
  type ScriptedRequest,
  startScriptedProvider,
} from "../../network/dimse/testing/scripted-provider.ts";
import { type Clock, systemClock } from "../../units/clock.ts";
import { silentLogger } from "../../units/logger.ts";
import { createExpectations, type Expectations } from "../expectations.ts";
import { createDimseArchive } from "./dimse-archive.ts";

const ours = parseAeTitle("RADFERRY");
const archiveTitle = parseAeTitle("ARCHIVE");
const never = new AbortController().signal;
const objects = [sampleCt(1, 1, 1), sampleCt(1, 1, 2), sampleCt(2, 1, 1), sampleCt(2, 1, 2)];
const studies = [...new Set(objects.map(({ studyInstanceUid }) => studyInstanceUid))].map(parseStudyInstanceUid);
const [study = parseStudyInstanceUid("1"), otherStudy = parseStudyInstanceUid("2")] = studies;

function uidsOf(studyInstanceUid: string): ReadonlySet<ReturnType<typeof parseSopInstanceUid>> {
  const ofStudy = objects.filter((object) => object.studyInstanceUid === studyInstanceUid);
  return new Set(ofStudy.map(({ sopInstanceUid }) => parseSopInstanceUid(sopInstanceUid)));
}

let expectations: Expectations;
let receiver: DimseServer;
/** Arrivals in their order, whichever study they are of. */
let arrivals: string[];

/** The one destination that the archive knows: it reads whose an instance is from the instance. */
const store: StoreHandler = async () => {
  const chunks: Uint8Array[] = [];
  return {
    write: (chunk) => {
      chunks.push(Buffer.from(chunk));
    },
    async close() {
      const dataSet = parseDataSet(Buffer.concat(chunks), EXPLICIT_VR_LITTLE_ENDIAN);
      const uid = textOf(dataSet, tags.SOPInstanceUID) ?? "";
      arrivals.push(uid);
      expectations.noteArrival(
        parseStudyInstanceUid(textOf(dataSet, tags.StudyInstanceUID) ?? ""),
        parseSopInstanceUid(uid),
      );
      return 0x0000;
    },
    abort: async () => {},
  };
};

beforeEach(async () => {
  arrivals = [];
  expectations = createExpectations(systemClock);
  receiver = await startDimseServer({ host: "127.0.0.1", port: 0, aeTitle: ours, handlers: { store } });
});
afterEach(() => receiver[Symbol.asyncDispose]());

/** C-STOREs to our receiver, without Move Originator: it is optional, PS3.7 9.1.1.1.6. */
async function send(sopInstanceUids: Iterable<string>): Promise<void> {
  const wanted = new Set(sopInstanceUids);
  const instances = objects.filter(({ sopInstanceUid }) => wanted.has(sopInstanceUid)).map(outgoingSample);
  const [contexts = []] = storageContextsFor(instances);
  const address = { aeTitle: ours, host: "127.0.0.1", port: receiver.port };
  await using association = await openAssociation({ address, callingAeTitle: archiveTitle, contexts });
  for (const instance of instances) expect(await association.store(instance)).toEqual({ status: 0x0000 });
}

async function startArchive(
  onRequest: ScriptedProviderOptions["onRequest"],
  { clock = systemClock, silenceMs = 60_000 }: { readonly clock?: Clock; readonly silenceMs?: number } = {},
) {
  const peer = await startScriptedProvider({ onRequest });
  const archive = createDimseArchive({
    name: "archive",
    address: { aeTitle: archiveTitle, host: "127.0.0.1", port: peer.port },
    retrieve: "move",
    associations: 4,
    callingAeTitle: ours,
    expectations,
    store,
    quietMs: 150,
    silenceMs,
    clock,
    logger: silentLogger,
  });
  return { peer, archive };
}

function studyOf({ dataSet = new Uint8Array(0) }: ScriptedRequest): string {
  return textOf(parseDataSet(dataSet, EXPLICIT_VR_LITTLE_ENDIAN), tags.StudyInstanceUID) ?? "";
}

describe("C-MOVE, as archives do it", () => {
  it.each([
    ["with counts that say so", 2],
    ["without any counts", undefined],
  ])("is answered with success before its C-STOREs, %s: what is wanted is waited for", async (_, completed) => {
    const sent = Promise.withResolvers<void>();
    const { peer, archive } = await startArchive(async (request) => {
      const { session, message } = request;
      const counts = completed === undefined ? {} : { numberOfCompletedSuboperations: completed };
      await session.respond(message, { status: 0x0000, ...counts });
      await send(uidsOf(studyOf(request)));
      sent.resolve();
    });
    await using _peer = peer;
    const wanted = uidsOf(study);
    const outcome = await archive.retrieve({ studyInstanceUid: study, wanted }, never);
    expect(outcome).toEqual({ status: 0x0000, completed, failed: undefined });
    expect(new Set(arrivals)).toEqual(wanted);
    await sent.promise;
  });

  it("is over after a quiet while when fewer come than were promised", async () => {
    const { peer, archive } = await startArchive(async ({ session, message }) => {
      await send([...uidsOf(study)].slice(0, 1));
      await session.respond(message, { status: 0x0000, numberOfCompletedSuboperations: 2 });
    });
    await using _peer = peer;
    expect(await archive.retrieve({ studyInstanceUid: study, wanted: uidsOf(study) }, never)).toMatchObject({
      completed: 2,
    });
    expect(arrivals).toHaveLength(1);
  });

  it.each([
    ["that the destination is unknown", 0xa801, "MOVE_DESTINATION_UNKNOWN", "permanent"],
    ["that it lacks resources", 0xa701, "ARCHIVE_OUT_OF_RESOURCES", "transient"],
    ["that it was cancelled, which nobody asked for", 0xfe00, "ARCHIVE_UNABLE", "transient"],
  ])("is answered %s: a code of its own", async (_, status, code, errorClass) => {
    const { peer, archive } = await startArchive(({ session, message }) => session.respond(message, { status }));
    await using _peer = peer;
    await expect(archive.retrieve({ studyInstanceUid: study }, never)).rejects.toMatchObject({
      code,
      class: errorClass,
    });
  });

  it("counts backwards: the account does not", async () => {
    const { peer, archive } = await startArchive(async ({ session, message }) => {
      await send(uidsOf(study));
      for (const [completed, failed] of [
        [2, 1],
        [1, 0],
        [0, 0],
      ] as const) {
        const counts = { numberOfCompletedSuboperations: completed, numberOfFailedSuboperations: failed };
        await session.respond(message, { status: 0xff00, ...counts });
      }
      await session.respond(message, { status: 0x0000, numberOfCompletedSuboperations: 1 });
    });
    await using _peer = peer;
    expect(await archive.retrieve({ studyInstanceUid: study, wanted: uidsOf(study) }, never)).toEqual({
      status: 0x0000,
      completed: 2,
      failed: 1,
    });
  });

  it("sends two studies at once to the one destination it knows: each arrival goes to whom its UIDs name", async () => {
    const both: ScriptedRequest[] = [];
    const { peer, archive } = await startArchive(async (request) => {
      both.push(request);
      if (both.length < 2) return;
      // Both over one association, in turn, and the answers in the other order.
      await send(objects.map(({ sopInstanceUid }) => sopInstanceUid));
      for (const { session, message } of both.toReversed()) {
        await session.respond(message, { status: 0x0000, numberOfCompletedSuboperations: 2 });
      }
    });
    await using _peer = peer;
    const asked = [study, otherStudy].map(async (studyInstanceUid) => {
      using expectation = expectations.expect(studyInstanceUid);
      await archive.retrieve({ studyInstanceUid, wanted: uidsOf(studyInstanceUid) }, never);
      return expectation.arrived;
    });
    expect(await Promise.all(asked)).toEqual([uidsOf(study), uidsOf(otherStudy)]);
  });

  it("is aborted when it is no longer wanted, as some archives ignore C-CANCEL", async () => {
    const stop = new AbortController();
    const { peer, archive } = await startArchive(() => stop.abort());
    await using _peer = peer;
    await expect(archive.retrieve({ studyInstanceUid: study }, stop.signal)).rejects.toMatchObject({
      code: "CANCELLED",
    });
    expect(await peer.ended).toMatchObject({ code: "ASSOCIATION_ABORTED", details: { by: "peer" } });
    expect(peer.commands).toEqual([COMMAND_FIELD["C-MOVE-RQ"]]);
  });

  it("is given up when it is answered for ever and gets nowhere, and not while its counts change", async () => {
    let nowMs = 0;
    const answers = Promise.withResolvers<(completed: number) => Promise<void>>();
    const clock: Clock = {
      nowMs: () => nowMs,
      async sleep(durationMs, signal) {
        // One answer a second, over a real connection; its count rises for the first hour.
        await (await answers.promise)(Math.min(Math.floor(nowMs / 600_000), 6));
        await new Promise(setImmediate);
        signal?.throwIfAborted();
        nowMs += durationMs * 60;
      },
    };
    expectations = createExpectations(clock);
    const respond =
      ({ session, message }: ScriptedRequest) =>
      async (completed: number) =>
        await session
          .respond(message, { status: 0xff00, numberOfCompletedSuboperations: completed })
          .catch(() => undefined);
    const { peer, archive } = await startArchive((request) => answers.resolve(respond(request)), {
      clock,
      silenceMs: 600_000,
    });
    await using _peer = peer;
    await expect(archive.retrieve({ studyInstanceUid: study }, never)).rejects.toMatchObject({
      code: "TIMED_OUT",
      details: { timeoutMs: 1_800_000 },
    });
    expect(nowMs).toBeGreaterThanOrEqual(3_600_000 + 1_800_000);
    expect(nowMs).toBeLessThan(3_600_000 + 2 * 1_800_000);
  });

  it("is given up when neither an answer nor an instance comes for long, and not before", async () => {
    let nowMs = 0;
    const looks: number[] = [];
    const clock: Clock = {
      nowMs: () => nowMs,
      async sleep(durationMs, signal) {
        await new Promise(setImmediate);
        signal?.throwIfAborted();
        nowMs += durationMs;
        looks.push(nowMs);
        // An instance of whatever study shows that the archive is at work, not what another archive sends.
        if (nowMs <= 60_000) expectations.noteActivity("archive");
        expectations.noteActivity("another");
      },
    };
    expectations = createExpectations(clock);
    const { peer, archive } = await startArchive(() => {}, { clock, silenceMs: 30_000 });
    await using _peer = peer;
    await expect(archive.retrieve({ studyInstanceUid: study }, never)).rejects.toMatchObject({ code: "TIMED_OUT" });
    expect(looks.at(-1)).toBe(90_000);
  });

  it("is given up in the end when the archive sends other studies for ever, and not while its own come", async () => {
    const [own = parseSopInstanceUid("1")] = uidsOf(study);
    const hourMs = 3_600_000;
    let nowMs = 0;
    const clock: Clock = {
      nowMs: () => nowMs,
      async sleep(durationMs, signal) {
        await new Promise(setImmediate);
        signal?.throwIfAborted();
        nowMs += durationMs * 60;
        expectations.noteActivity("archive");
        if (nowMs <= 8 * hourMs) expectations.noteArrival(study, own);
      },
    };
    expectations = createExpectations(clock);
    const { peer, archive } = await startArchive(() => {}, { clock, silenceMs: 600_000 });
    await using _peer = peer;
    await expect(archive.retrieve({ studyInstanceUid: study }, never)).rejects.toMatchObject({ code: "TIMED_OUT" });
    expect(nowMs).toBe((8 + 6) * hourMs);
  });
});
