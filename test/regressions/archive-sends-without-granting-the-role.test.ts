import { expect, it } from "vitest";
import { parseAeTitle } from "../../src/dicom/ae-title.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { dataSetOf, textElement } from "../../src/dicom/values.ts";
import { openAssociation } from "../../src/network/dimse/association.ts";
import { QUERY_RETRIEVE_SOP_CLASSES } from "../../src/network/dimse/service-classes.ts";
import { sendInstance } from "../../src/network/dimse/store-scu.ts";
import { startScriptedProvider } from "../../src/network/dimse/testing/scripted-provider.ts";
import { memoryStore } from "../peers/memory-archive.ts";
import { outgoingSample, sampleCt } from "../peers/sample-objects.ts";

const sample = sampleCt(1, 1, 1);
const transferSyntaxUids = [EXPLICIT_VR_LITTLE_ENDIAN];

/** Orthanc 1.10.1 grants the SCP role for SOP classes of the standard only, and sends the others all the same: they used to be refused. */
it("C-GET takes an instance from an archive that did not grant the role it had asked for", async () => {
  await using archive = await startScriptedProvider({
    grantsRoles: false,
    async onRequest({ session, message }) {
      const { status } = await sendInstance(session, { instance: outgoingSample(sample), mayCarry: () => true });
      await session.respond(message, { status });
    },
  });
  await using association = await openAssociation({
    address: { aeTitle: parseAeTitle("ARCHIVE"), host: "127.0.0.1", port: archive.port },
    callingAeTitle: parseAeTitle("RADFERRY"),
    contexts: [
      { abstractSyntaxUid: QUERY_RETRIEVE_SOP_CLASSES["study-root"].get, transferSyntaxUids },
      { abstractSyntaxUid: sample.sopClassUid, transferSyntaxUids, role: "scp" },
    ],
  });
  const { received, handler } = memoryStore();
  const identifier = dataSetOf([
    textElement(tags.QueryRetrieveLevel, "STUDY", "CS"),
    textElement(tags.StudyInstanceUID, sample.studyInstanceUid, "UI"),
  ]);
  const { status } = await association.get({ model: "study-root", identifier }, handler);
  expect(status).toBe(0x0000);
  expect([...received.keys()]).toEqual([sample.sopInstanceUid]);
});
