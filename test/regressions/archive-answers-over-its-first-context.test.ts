import { expect, it } from "vitest";
import { createDimseArchive } from "../../src/archive/dimse/dimse-archive.ts";
import { createExpectations } from "../../src/archive/expectations.ts";
import { parseAeTitle } from "../../src/dicom/ae-title.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../../src/dicom/uid.ts";
import { COMMAND_FIELD } from "../../src/network/dimse/command-set.ts";
import { startScriptedProvider } from "../../src/network/dimse/testing/scripted-provider.ts";
import { systemClock } from "../../src/units/clock.ts";
import { silentLogger } from "../../src/units/logger.ts";
import { memoryStore } from "../peers/memory-archive.ts";
import { outgoingSample, sampleCt } from "../peers/sample-objects.ts";

const JPEG_2000_LOSSLESS = "1.2.840.10008.1.2.4.90";

/**
 * dcmqrscp 3.6.7 answers a C-GET over the first context that it accepted for a SOP class, whatever its transfer syntax, and cannot convert
 * what is compressed: offered beside a plain context, a compressed object never came.
 */
it("gets compressed objects from an archive that answers over its first context for their class", async () => {
  const ct = sampleCt(1, 1, 1);
  const held = { ...outgoingSample(ct), transferSyntaxUid: JPEG_2000_LOSSLESS };
  await using peer = await startScriptedProvider({
    async onRequest({ session, message }) {
      const context = session.contexts.find(({ abstractSyntaxUid }) => abstractSyntaxUid === held.sopClassUid);
      if (context?.transferSyntaxUid !== held.transferSyntaxUid) {
        const counts = { numberOfCompletedSuboperations: 0, numberOfFailedSuboperations: 1 };
        await session.respond(message, { status: 0xa702, ...counts });
        return;
      }
      await session.request({
        contextId: context.id,
        service: "C-STORE",
        command: {
          affectedSopClassUid: held.sopClassUid,
          commandField: COMMAND_FIELD["C-STORE-RQ"],
          priority: 0,
          affectedSopInstanceUid: held.sopInstanceUid,
        },
        dataSet: held.open(),
      });
      const counts = { numberOfCompletedSuboperations: 1, numberOfFailedSuboperations: 0 };
      await session.respond(message, { status: 0x0000, ...counts });
    },
  });
  const { received, handler } = memoryStore();
  const archive = createDimseArchive({
    name: "first-context",
    address: { aeTitle: parseAeTitle("ARCHIVE"), host: "127.0.0.1", port: peer.port },
    retrieve: "get",
    associations: 1,
    callingAeTitle: parseAeTitle("RADFERRY"),
    expectations: createExpectations(systemClock),
    store: handler,
    quietMs: 100,
    silenceMs: 60_000,
    clock: systemClock,
    logger: silentLogger,
  });
  const instance = {
    seriesInstanceUid: parseSeriesInstanceUid(ct.seriesInstanceUid),
    sopInstanceUid: parseSopInstanceUid(ct.sopInstanceUid),
    sopClassUid: ct.sopClassUid,
  };
  const request = {
    studyInstanceUid: parseStudyInstanceUid(ct.studyInstanceUid),
    sopClassUids: [ct.sopClassUid],
    instances: [instance],
  };
  const outcome = await archive.retrieve(request, new AbortController().signal);
  expect(outcome).toEqual({ status: 0x0000, completed: 1, failed: 0 });
  expect([...received.keys()]).toEqual([ct.sopInstanceUid]);
});
