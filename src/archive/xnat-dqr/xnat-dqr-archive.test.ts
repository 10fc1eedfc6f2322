import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type SyntheticStudy, syntheticStudy } from "../../../test/peers/synthetic-studies.ts";
import { type PracticeXnat, startXnat } from "../../../test/peers/xnat/start-xnat.ts";
import { newProject } from "../../../test/peers/xnat/state.ts";
import type { XnatSwitches } from "../../../test/peers/xnat/switches.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { parseStudyInstanceUid } from "../../dicom/uid.ts";
import { openXnatClient } from "../../network/rest/xnat/login.ts";
import { openStagingArea } from "../../staging/open-staging.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { systemDisk } from "../../units/disk.ts";
import { silentLogger } from "../../units/logger.ts";
import { systemRandom } from "../../units/random.ts";
import type { Archive } from "../archive.ts";
import { ARCHIVE_CONTRACT, type KnownStudy } from "../archive-contract.testing.ts";
import { createPace } from "../availability/pace.ts";
import { createExpectations } from "../expectations.ts";
import { createRefusals } from "../refusals.ts";
import { createXnatDqrArchive, type XnatDqrArchiveOptions } from "./xnat-dqr-archive.ts";

const STUDIES = [
  syntheticStudy({ seed: 631, modality: "CT", series: 2, instancesPerSeries: 3 }),
  syntheticStudy({ seed: 632, modality: "MR", series: 1, instancesPerSeries: 2 }),
] as const;
const [STUDY, OTHER] = STUDIES;
const UID = parseStudyInstanceUid(STUDY.studyInstanceUid);
const signal = neverAborted();

/** An XNAT with a PACS behind it, an archive that asks it, and a place for what comes. */
async function scene(options: Partial<XnatDqrArchiveOptions> = {}, switches: Partial<XnatSwitches> = {}) {
  const opened = new AsyncDisposableStack();
  const { path } = opened.use(await temporaryFolder());
  const xnat = opened.use(await startXnat({ studies: STUDIES, projects: ["landing"], workEveryMs: 2 }));
  Object.assign(xnat.switches, switches);
  const staging = opened.use(await openStagingArea({ path, reserveBytes: 0, disk: systemDisk, logger: silentLogger }));
  const taker = {
    staging,
    expectations: createExpectations(systemClock),
    refusals: createRefusals(),
    pace: createPace(systemClock),
    clock: systemClock,
    random: systemRandom,
  };
  const archive = opened.use(archiveAt(xnat, { taker, ...options }));
  return { xnat, archive, staging, taker, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

function archiveAt(
  { url, username, password }: PracticeXnat,
  options: Pick<XnatDqrArchiveOptions, "taker"> & Partial<XnatDqrArchiveOptions>,
): Archive {
  const credentials = { username, password: () => Promise.resolve(password) };
  const client = openXnatClient({ baseUrl: url, credentials });
  return createXnatDqrArchive({
    name: "trust",
    client,
    associations: 2,
    project: "landing",
    maximumPollMs: 2,
    patienceMs: 5_000,
    ...options,
  });
}

function imports({ requests }: PracticeXnat): number {
  return requests.filter((line) => line === "POST /xapi/dqr/import").length;
}

function knownStudy({ studyInstanceUid, patientId, accessionNumber, instances }: SyntheticStudy): KnownStudy {
  return {
    studyInstanceUid,
    patientId,
    accessionNumber,
    instances: instances.map(({ seriesInstanceUid, sopInstanceUid, bytes }) => ({
      seriesInstanceUid,
      sopInstanceUid,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    })),
  };
}

describe("an archive asked by DQR", () => {
  it.each(Object.entries(ARCHIVE_CONTRACT))("%s", async (title, run) => {
    await using site = await scene();
    if (title.startsWith("can be tried")) {
      await site.archive.retrieve({ studyInstanceUid: UID }, signal);
      await site.staging.removeStudy(UID);
    }
    await run({ ...site, studies: [knownStudy(STUDY), knownStudy(OTHER)] });
  });

  it("asks once for what is there already, in however many tries", async () => {
    await using site = await scene();
    await site.archive.retrieve({ studyInstanceUid: UID }, signal);
    await site.staging.removeStudy(UID);
    expect(await site.archive.retrieve({ studyInstanceUid: UID }, signal)).toMatchObject({ completed: 6, failed: 0 });
    expect(imports(site.xnat)).toBe(1);
  });

  it("leaves a queued import to be waited for, and takes it up again without asking anew", async () => {
    await using site = await scene({ patienceMs: 20 });
    for (const hours of site.xnat.state.pacs[0]?.availability ?? []) hours.availableNow = false;
    const retrieve = () => site.archive.retrieve({ studyInstanceUid: UID }, signal);
    for (let time = 0; time < 2; time += 1) {
      await expect(retrieve()).rejects.toMatchObject({
        code: "XNAT_IMPORT_PENDING",
        class: "transient",
        details: { at: "queue", status: "QUEUED" },
      });
    }
    expect([imports(site.xnat), site.xnat.state.queued.length]).toEqual([1, 1]);
    for (const hours of site.xnat.state.pacs[0]?.availability ?? []) hours.availableNow = true;
    await using patient = archiveAt(site.xnat, { taker: site.taker });
    expect(await patient.retrieve({ studyInstanceUid: UID }, signal)).toMatchObject({ completed: 6 });
    expect(imports(site.xnat)).toBe(1);
  });

  it("lets an import of the study into another project come first", async () => {
    await using site = await scene();
    site.xnat.state.projects.set("other", newProject("other", {}));
    for (const hours of site.xnat.state.pacs[0]?.availability ?? []) hours.availableNow = false;
    for (const project of ["other", "landing", "landing"]) {
      await using archive = archiveAt(site.xnat, { taker: site.taker, project, patienceMs: 20 });
      const retrieving = archive.retrieve({ studyInstanceUid: UID }, signal);
      await expect(retrieving).rejects.toMatchObject({ code: "XNAT_IMPORT_PENDING" });
    }
    expect(site.xnat.state.queued.map(({ xnatProject }) => xnatProject)).toEqual(["other"]);
    for (const hours of site.xnat.state.pacs[0]?.availability ?? []) hours.availableNow = true;
    expect(await site.archive.retrieve({ studyInstanceUid: UID }, signal)).toMatchObject({ completed: 6 });
    expect(site.xnat.state.executed.map(({ xnatProject }) => xnatProject)).toEqual(["other", "landing"]);
  });

  it("waits while DQR itself tries again", async () => {
    await using site = await scene({}, { failingMoves: 3 });
    expect(await site.archive.retrieve({ studyInstanceUid: UID }, signal)).toMatchObject({ completed: 6 });
    expect(site.xnat.state.executed.map(({ status }) => status)).toEqual(["FAILED", "FAILED", "FAILED", "RECEIVED"]);
    expect(imports(site.xnat)).toBe(1);
  });

  it.each<[string, Partial<XnatSwitches>, object]>([
    ["gives up", { failingMoves: 99 }, { code: "XNAT_IMPORT_FAILED", details: { at: "archive", attempts: 5 } }],
    ["cannot archive nor move aside", { directArchiveFailure: "stays" }, { code: "XNAT_IMPORT_FAILED" }],
    [
      "moves to the prearchive with an error",
      { directArchiveFailure: "prearchive" },
      { code: "XNAT_SESSION_IN_PREARCHIVE", class: "permanent", details: { status: "ERROR" } },
    ],
    [
      "leaves as a conflict",
      { prearchiveStatus: "CONFLICT" },
      { code: "XNAT_SESSION_IN_PREARCHIVE", details: { status: "CONFLICT" } },
    ],
    [
      "finds late for the session",
      { lateObjects: 2 },
      { code: "XNAT_SESSION_IN_PREARCHIVE", details: { status: "CONFLICT" } },
    ],
    ["archives as an empty shell", { emptyShells: true }, { code: "XNAT_SESSION_EMPTY", class: "permanent" }],
    ["does not find series of", { withoutSeries: new Set([UID]) }, { code: "XNAT_IMPORT_REFUSED" }],
  ])("names what the XNAT %s", async (_, switches, expected) => {
    await using site = await scene({}, switches);
    await expect(site.archive.retrieve({ studyInstanceUid: UID }, signal)).rejects.toMatchObject(expected);
    expect(await site.staging.list(UID)).toEqual([]);
  });

  it("archives a session that waits in the prearchive for nothing", async () => {
    await using site = await scene({}, { prearchiveStatus: "READY" });
    expect(await site.archive.retrieve({ studyInstanceUid: UID }, signal)).toMatchObject({ completed: 6 });
    expect(site.xnat.state.prearchive).toEqual([]);
  });

  it("tells a transfer that never arrives from one that is on its way", async () => {
    await using site = await scene({ patienceMs: 20 }, { issuedForever: true });
    await expect(site.archive.retrieve({ studyInstanceUid: UID }, signal)).rejects.toMatchObject({
      code: "XNAT_IMPORT_FAILED",
      details: { at: "receiver" },
    });
  });

  it("brings what has come of a study that lost objects on its way, and its count tells what is missing", async () => {
    await using site = await scene({}, { lostObjects: 2 });
    expect(await site.archive.retrieve({ studyInstanceUid: UID }, signal)).toMatchObject({ completed: 4 });
    expect(await site.archive.listStudy(UID, signal)).toEqual({ kind: "count", count: 6 });
    site.xnat.switches.lostObjects = 0;
    await site.archive.retrieve({ studyInstanceUid: UID }, signal);
    expect(await site.staging.list(UID)).toHaveLength(6);
    expect(site.xnat.state.executed.at(-1)?.seriesIds).toEqual([STUDY.instances.at(-1)?.seriesInstanceUid]);
  });

  it("does not claim a count that the archive does not give", async () => {
    await using site = await scene({}, { countsInstances: false });
    expect(await site.archive.listStudy(UID, signal)).toEqual({ kind: "unknown" });
  });

  it.each<[string, Partial<XnatDqrArchiveOptions>, string]>([
    ["project", { project: "nowhere" }, "XNAT_PROJECT_MISSING"],
    ["PACS", { pacsId: 7 }, "XNAT_PACS_MISSING"],
    ["receiver", { receiver: { aeTitle: "XNAT", port: 8105 } }, "XNAT_RECEIVER_MISSING"],
  ])("asks for nothing with a %s that is not there", async (_, options, code) => {
    await using site = await scene(options);
    await expect(site.archive.retrieve({ studyInstanceUid: UID }, signal)).rejects.toMatchObject({ code });
    expect(imports(site.xnat)).toBe(0);
  });
});
