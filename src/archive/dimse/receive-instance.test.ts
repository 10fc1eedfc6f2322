import { expect, it } from "vitest";
import { outgoingSample, sampleCt } from "../../../test/peers/sample-objects.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { parseAeTitle } from "../../dicom/ae-title.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { openAssociation } from "../../network/dimse/association.ts";
import { startDimseServer } from "../../network/dimse/server.ts";
import type { OutgoingInstance } from "../../network/dimse/service-types.ts";
import { storageContextsFor } from "../../network/dimse/storage-contexts.ts";
import { openStagingArea } from "../../staging/open-staging.ts";
import type { IncomingFile, StagedInstance } from "../../staging/staging-area.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { systemDisk } from "../../units/disk.ts";
import { type LogFields, silentLogger } from "../../units/logger.ts";
import { createExpectations } from "../expectations.ts";
import { createRefusals } from "../refusals.ts";
import { receiveIntoStaging } from "./receive-instance.ts";
import { watchStore } from "./watched-store.ts";

const aeTitle = parseAeTitle("RADFERRY");
const MR = "1.2.840.10008.5.1.4.1.1.4";
const sample = sampleCt(1, 1, 1);
const study = parseStudyInstanceUid(sample.studyInstanceUid);
const honest = outgoingSample(sample);

/** Sends one instance of a study that a job waits for; gives its answer, what was logged, and the refusals. */
async function receive(instance: OutgoingInstance) {
  const expectations = createExpectations(systemClock);
  using _asked = expectations.expect(study, { archive: "pacs", job: "job-1" });
  const refusals = createRefusals();
  const lines: LogFields[] = [];
  const store = receiveIntoStaging({
    staging: {
      begin: async () => ({
        write: () => {},
        commit: () => Promise.reject(new Error("never gets so far")),
        abort: async () => {},
      }),
    },
    expectations,
    refusals,
    logger: { ...silentLogger, warn: (_, fields = {}) => void lines.push(fields) },
  });
  await using server = await startDimseServer({ host: "127.0.0.1", port: 0, aeTitle, handlers: { store } });
  const [contexts = []] = storageContextsFor([instance]);
  const address = { aeTitle, host: "127.0.0.1", port: server.port };
  await using association = await openAssociation({ address, callingAeTitle: parseAeTitle("PACS"), contexts });
  return { ...(await association.store(instance)), lines, refusals };
}

it.each([
  ["instance", { ...honest, sopInstanceUid: "1.2.3.4" }, "INSTANCE_UID_DIFFERS"],
  ["class", { ...honest, sopClassUid: MR }, "SOP_CLASS_DIFFERS"],
] as const)(
  "says which job waits for an object of another %s than announced, and why it lacks it",
  async (_, lie, violation) => {
    const { status, lines, refusals } = await receive(lie);
    expect(status).toBe(0xa900);
    const told = { code: "INSTANCE_MISMATCH", status: "A900H", job: "job-1", violation, remoteHost: "127.0.0.1" };
    expect(lines).toEqual([told]);
    for (const uid of new Set([lie.sopInstanceUid, honest.sopInstanceUid, study]))
      expect(refusals.takeReason([uid])?.code).toBe("INSTANCE_MISMATCH");
  },
);

it("takes nothing over a C-GET but of the study that was asked for, though another archive is asked for the other", async () => {
  await using folder = await temporaryFolder();
  const [logger, clock] = [silentLogger, systemClock];
  const options = { path: `${folder.path}/staging`, reserveBytes: 0, disk: systemDisk, logger };
  await using staging = await openStagingArea(options);
  const expectations = createExpectations(clock);
  const asked = sampleCt(2, 1, 1);
  const askedStudy = parseStudyInstanceUid(asked.studyInstanceUid);
  using _other = expectations.expect(study, { archive: "other pacs", job: "job-1" });
  using _asked = expectations.expect(askedStudy);
  const store = receiveIntoStaging({ staging, expectations, refusals: createRefusals(), logger });
  const { handler } = watchStore(store, askedStudy);
  const statuses: unknown[] = [];
  for (const one of [sample, asked]) {
    const names = { callingAeTitle: "PACS", calledAeTitle: "RADFERRY", remoteAddress: "127.0.0.1" };
    const { open, ...instance } = outgoingSample(one);
    const sink = await handler({ ...instance, ...names }, neverAborted());
    if ("refuse" in sink) throw new Error("refused too early");
    for await (const chunk of open()) await sink.write(chunk);
    statuses.push(await sink.close());
  }
  expect(statuses).toEqual([0x0124, 0x0000]);
  expect(await staging.list(study)).toEqual([]);
  expect(await staging.list(askedStudy)).toHaveLength(1);
});

const whole: StagedInstance = {
  studyInstanceUid: study,
  seriesInstanceUid: parseSeriesInstanceUid(`${study}.1`),
  sopInstanceUid: parseSopInstanceUid(sample.sopInstanceUid),
  sopClassUid: sample.sopClassUid,
  transferSyntaxUid: honest.transferSyntaxUid,
  modality: "CT",
  sizeBytes: 1_000,
  path: "in staging",
};

/** What is said of an instance that this staging is given, and what staging was asked for. */
async function intoStaging(staged: Partial<IncomingFile>) {
  const asked: string[] = [];
  const begin = async () => ({
    write: () => {},
    async commit(admit: (instance: StagedInstance) => boolean) {
      asked.push("commit");
      if (!admit(whole)) throw new GatewayError("INSTANCE_UNSOLICITED");
      return whole;
    },
    abort: async () => void asked.push("abort"),
    ...staged,
  });
  const expectations = createExpectations(systemClock);
  const store = receiveIntoStaging({
    ...{ staging: { begin }, expectations, refusals: createRefusals(), logger: silentLogger },
  });
  const { open, ...instance } = honest;
  const names = { callingAeTitle: "PACS", calledAeTitle: "RADFERRY", remoteAddress: "127.0.0.1" };
  const sink = await store({ ...instance, ...names }, neverAborted());
  if ("refuse" in sink) throw new Error("refused too early");
  for await (const chunk of open()) await sink.write(chunk);
  return { status: await sink.close(), asked };
}

it("takes nothing of a study that nobody expects", async () => {
  expect(await intoStaging({})).toEqual({ status: 0x0124, asked: ["commit"] });
});

it("takes nothing for whole of which something could not be written", async () => {
  const write = () => Promise.reject(new GatewayError("STAGING_FULL"));
  expect(await intoStaging({ write })).toEqual({ status: 0xa700, asked: ["abort"] });
});
