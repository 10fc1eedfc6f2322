import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createDimseArchive } from "../src/archive/dimse/dimse-archive.ts";
import { receiveIntoStaging } from "../src/archive/dimse/receive-instance.ts";
import { createExpectations } from "../src/archive/expectations.ts";
import { createRefusals } from "../src/archive/refusals.ts";
import { loadProfile } from "../src/deid/profiles/load-profile.ts";
import { type ProjectKey, projectKeyOf } from "../src/deid/pseudonyms/project-key.ts";
import { createStudyReport } from "../src/deid/study-report.ts";
import { createStudyDeidentifier, type StudyDeidentifier } from "../src/deid/workers/study-run.ts";
import { createWorkerPool } from "../src/deid/workers/worker-pool.ts";
import type { StudyDelivery } from "../src/delivery/destination.ts";
import { createFolderDestination } from "../src/delivery/folder/folder-destination.ts";
import { deliverStudy } from "../src/delivery/receipts.ts";
import { parseAeTitle, parseDicomAddress } from "../src/dicom/ae-title.ts";
import { parseStudyInstanceUid, type StudyInstanceUid } from "../src/dicom/uid.ts";
import { startDimseServer } from "../src/network/dimse/server.ts";
import type { DeidentifiedFile } from "../src/staging/deidentified-file.ts";
import { openStagingArea } from "../src/staging/open-staging.ts";
import { openOutbox } from "../src/staging/outbox.ts";
import { neverAborted } from "../src/units/abort.ts";
import { systemClock } from "../src/units/clock.ts";
import { concurrently } from "../src/units/concurrently.ts";
import { systemDisk } from "../src/units/disk.ts";
import { silentLogger } from "../src/units/logger.ts";

/**
 * `end-to-end-stages-main.ts AET@HOST:PORT OWN_AET OWN_PORT WORKERS UIDS_FILE`: fetches the studies, then de-identifies them all, then delivers
 * them all, each stage alone and without a store; then all of it again, with code that is compiled. Prints how long each took both times, and the
 * processor's time.
 */
const [address = "", ownAeTitle = "", port = "", workers = "", uidsFile = ""] = process.argv.slice(2);
const PROJECT = "bench";
const signal = neverAborted();
const clock = systemClock;
const logger = silentLogger;
const limit = Number(workers);
const folder = process.cwd();
const studies = (await readFile(uidsFile, "utf8")).trim().split("\n").map(parseStudyInstanceUid);

await using staging = await openStagingArea({ path: join(folder, "staging"), reserveBytes: 0, disk: systemDisk });
const outbox = await openOutbox({ path: join(folder, "outbox") });
const expectations = createExpectations(clock);
const store = receiveIntoStaging({ staging, expectations, refusals: createRefusals(), logger });
const callingAeTitle = parseAeTitle(ownAeTitle);
await using _listener = await startDimseServer({
  ...{ host: "127.0.0.1", port: Number(port), aeTitle: callingAeTitle, handlers: { store }, logger },
});
await using archive = createDimseArchive({
  ...{ name: "archive", address: parseDicomAddress(address), retrieve: "move", associations: limit, callingAeTitle },
  ...{ expectations, store, quietMs: 3_000, silenceMs: 120_000, clock, logger },
});
await using pool = createWorkerPool();
const profile = loadProfile("research");
await using destination = await createFolderDestination({ name: "folder", path: join(folder, "delivered") });

const first = await allStages(0x0a);
for (const study of studies) await staging.removeStudy(study);
const next = await allStages(0x1a);
process.stdout.write(`${JSON.stringify({ first, next })}\n`);

async function allStages(keyByte: number) {
  const key = projectKeyOf(Buffer.alloc(32, keyByte));
  const deidentifier = createStudyDeidentifier({ profile, key, filters: {} }, pool);
  const delivered = new Map<StudyInstanceUid, StudyDelivery>();
  const retrieve = await timed(async (study) => {
    await archive.findStudies({ by: "study-uid", studyInstanceUid: study }, signal);
    await archive.listStudy(study, signal);
    await archive.retrieve({ studyInstanceUid: study }, signal);
    await staging.sync(study);
  });
  const deidentify = await timed(async (study) => {
    delivered.set(study, await deidentifyOne(study, deidentifier, key));
  });
  const deliver = await timed(async (study) => {
    const delivery = delivered.get(study);
    if (delivery === undefined || delivery.files.length === 0) throw new Error("nothing was de-identified");
    await deliverStudy(destination, delivery, clock, signal);
  });
  for (const study of studies) await outbox.remove(study);
  return { retrieve, deidentify, deliver };
}

async function timed(work: (study: StudyInstanceUid) => Promise<void>) {
  const startedAtMs = performance.now();
  const before = process.cpuUsage();
  await concurrently(studies, limit, work);
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - startedAtMs) / 1_000, processorSeconds: (user + system) / 1e6 };
}

async function deidentifyOne(
  study: StudyInstanceUid,
  deidentifier: StudyDeidentifier,
  key: ProjectKey,
): Promise<StudyDelivery> {
  using run = deidentifier.study({ signal, nowMs: clock.nowMs, allowedPlaces: new Set() });
  const staged = await staging.list(study);
  const copies = outbox.folderOf(study);
  const tasks = staged.map(({ path }, index) => ({
    path,
    outputPath: join(copies, `${index}.dcm`),
    participantId: undefined,
    seriesInstanceCount: staged.length,
    studyFacts: undefined,
  }));
  const report = createStudyReport({ project: PROJECT, profile, keyId: key.id, release: undefined });
  const files: DeidentifiedFile[] = [];
  for (const outcome of await run.instances(tasks)) {
    report.add(outcome);
    if (outcome.kind === "deidentified") files.push(outcome.file);
  }
  report.conclude(await run.finish());
  const [first] = files;
  if (first === undefined) throw new Error("nothing was de-identified");
  const { pseudonym, studyInstanceUid } = first;
  return {
    project: PROJECT,
    pseudonym,
    studyInstanceUid,
    files,
    report: { ...report.document(), verdict: "complete" },
  };
}
