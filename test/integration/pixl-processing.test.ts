import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Message } from "../../src/compat/pixl/messages/message.ts";
import { serialise } from "../../src/compat/pixl/messages/serialise.ts";
import {
  DiscardError,
  OutOfHoursError,
  StudyNotInPrimaryArchiveError,
} from "../../src/compat/pixl/processing/errors.ts";
import { processMessage } from "../../src/compat/pixl/processing/process-message.ts";
import { systemClock } from "../../src/units/clock.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import {
  createLinesLogger,
  find,
  instancesIn,
  openPixlSite,
  openSiteProcessing,
  type PixlSite,
  pathsAsked,
  store,
} from "../support/pixl-site.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const SMALL = { modality: "CT", rows: 16, columns: 16 } as const;
/** Two series of one instance each, as PIXL's own tests have it. */
const STUDY = syntheticStudy({ ...SMALL, seed: 901, series: 2 });
const [FIRST, SECOND] = STUDY.instances;
/** 2026-01-05 is a Monday. */
const MONDAY_2_AM = Date.parse("2026-01-05T02:00:00Z");
const MONDAY_11_AM = Date.parse("2026-01-05T11:00:00Z");
const SATURDAY_2_AM = Date.parse("2026-01-10T02:00:00Z");

function messageFor(study: SyntheticStudy, given: Partial<Message> = {}): Message {
  return {
    mrn: study.patientId,
    accessionNumber: study.accessionNumber,
    studyUid: study.studyInstanceUid,
    seriesUid: "",
    studyDate: "2022-11-22",
    procedureOccurrenceId: 4,
    projectName: "test-extract-uclh-omop-cdm",
    extractGeneratedTimestamp: "2023-12-07T14:08:58",
    ...given,
  };
}

const uidsOf = ({ instances }: SyntheticStudy): readonly string[] =>
  instances.map(({ sopInstanceUid }) => sopInstanceUid).sort();

const clockAt = (atMs: number) => ({ ...systemClock, nowMs: () => atMs });

describe.skipIf(!requirePeer("Orthanc"))("PIXL's messages, worked off with real Orthancs", () => {
  let site: PixlSite;
  beforeAll(async () => {
    site = await openPixlSite();
  });
  afterAll(() => site[Symbol.asyncDispose]());
  beforeEach(() => site.clear());

  it("I1: retrieves a study by its UID into orthanc-raw, and hands it over", async () => {
    await using processing = openSiteProcessing(site);
    await store(site.vna, STUDY.instances);
    const report = await processMessage(messageFor(STUDY), "primary", processing);
    expect(report).toEqual({ studies: 1, instances: 2, retrieved: 2, isHandedOver: true });
    const studies = await find(site.raw, "Study");
    expect(studies).toMatchObject([
      {
        MainDicomTags: { StudyInstanceUID: STUDY.studyInstanceUid, AccessionNumber: STUDY.accessionNumber },
        PatientMainDicomTags: { PatientID: STUDY.patientId },
      },
    ]);
    expect(await instancesIn(site.raw, STUDY.studyInstanceUid)).toEqual(uidsOf(STUDY));
    expect(site.anon.imports).toEqual([
      {
        ResourceIDs: [studies[0]?.ID],
        StudyInstanceUIDs: [STUDY.studyInstanceUid],
        SeriesInstanceUIDs: [],
        ProjectName: "test-extract-uclh-omop-cdm",
      },
    ]);
  });

  it("takes the original's two parameters, and the original's environment for the rest", async () => {
    await store(site.vna, STUDY.instances);
    for (const [name, value] of Object.entries(site.environment())) vi.stubEnv(name, value);
    const { processMessage: published } = await import("../../src/pixl.ts");
    try {
      expect(await published(messageFor(STUDY), "primary")).toMatchObject({ studies: 1, instances: 2 });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it.each([
    ["I2: retrieves the series of a list", [FIRST, SECOND]],
    ["I3: retrieves one series and no other", [FIRST]],
  ])("%s", async (_, wanted) => {
    await using processing = openSiteProcessing(site);
    await store(site.vna, STUDY.instances);
    const series = wanted.map((instance) => instance?.seriesInstanceUid ?? "");
    await processMessage(messageFor(STUDY, { seriesUid: series.join("\\") }), "primary", processing);
    expect(await instancesIn(site.raw, STUDY.studyInstanceUid)).toEqual(
      wanted.map((instance) => instance?.sopInstanceUid).sort(),
    );
    expect(site.anon.imports).toMatchObject([
      { StudyInstanceUIDs: [STUDY.studyInstanceUid], SeriesInstanceUIDs: series },
    ]);
  });

  it("I4: retrieves the one instance that is missing, and says so without naming it", async () => {
    const { logger, lines } = createLinesLogger();
    await using processing = openSiteProcessing(site, {}, { logger });
    await store(site.vna, STUDY.instances);
    await store(site.raw, STUDY.instances.slice(0, 1));
    expect(await processMessage(messageFor(STUDY), "primary", processing)).toMatchObject({
      instances: 2,
      retrieved: 1,
    });
    expect(await instancesIn(site.raw, STUDY.studyInstanceUid)).toEqual(uidsOf(STUDY));
    const missing = lines.filter(({ event }) =>
      /^Instance [0-9a-f]{12} is missing from study [0-9a-f]{12}$/.test(event),
    );
    expect(missing).toHaveLength(1);
    const written = JSON.stringify(lines);
    expect(STUDY.identifiers.filter((identifier) => written.includes(identifier))).toEqual([]);
  });

  it("I5: leaves a study alone that is there already", async () => {
    await using processing = openSiteProcessing(site);
    await store(site.vna, STUDY.instances);
    await processMessage(messageFor(STUDY), "primary", processing);
    const before = await find(site.raw, "Study");
    expect(await processMessage(messageFor(STUDY), "primary", processing)).toMatchObject({ retrieved: 0 });
    expect(await find(site.raw, "Study")).toEqual(before);
    expect(site.anon.imports).toHaveLength(2);
  });

  it("I6: finds a study without UID by MRN and accession number, and says so as PIXL does", async () => {
    const { logger, lines } = createLinesLogger();
    await using processing = openSiteProcessing(site, {}, { logger });
    await store(site.vna, STUDY.instances);
    await processMessage(messageFor(STUDY, { studyUid: "" }), "primary", processing);
    expect(await instancesIn(site.raw, STUDY.studyInstanceUid)).toEqual(uidsOf(STUDY));
    expect(lines.map(({ event }) => event)).toContain(
      "No study found in modality UCPRIMARYQR with UID '', trying MRN and accession number",
    );
  });

  it("I7: finds in the secondary archive what the primary has not, by its UID", async () => {
    const { logger, lines } = createLinesLogger();
    await using processing = openSiteProcessing(site, {}, { logger, clock: clockAt(MONDAY_2_AM) });
    await store(site.pacs, STUDY.instances);
    await expect(processMessage(messageFor(STUDY), "primary", processing)).rejects.toThrow(
      StudyNotInPrimaryArchiveError,
    );
    const asked = lines.length;
    await processMessage(messageFor(STUDY), "secondary", processing);
    expect(await instancesIn(site.raw, STUDY.studyInstanceUid)).toEqual(uidsOf(STUDY));
    expect(lines.slice(asked).filter(({ event }) => event.startsWith("No study found"))).toEqual([]);
  });

  it("I8: looks by MRN and accession number for a UID that neither archive knows", async () => {
    const { logger, lines } = createLinesLogger();
    await using processing = openSiteProcessing(site, {}, { logger, clock: clockAt(MONDAY_2_AM) });
    await store(site.pacs, STUDY.instances);
    const wrong = messageFor(STUDY, { studyUid: "1.2.3.4.5" });
    await expect(processMessage(wrong, "primary", processing)).rejects.toThrow("sending message to secondary");
    await processMessage(wrong, "secondary", processing);
    expect(site.anon.imports).toMatchObject([{ StudyInstanceUIDs: [STUDY.studyInstanceUid] }]);
    const fallbacks = lines.filter(({ event }) => event.startsWith("No study found in modality UC"));
    expect(fallbacks.map(({ event }) => event.split(" ")[5])).toEqual(["UCPRIMARYQR", "UCSECONDARYQR"]);
  });

  it("I9: gives up what neither archive has", async () => {
    await using processing = openSiteProcessing(site, {}, { clock: clockAt(MONDAY_2_AM) });
    await expect(processMessage(messageFor(STUDY), "primary", processing)).rejects.toMatchObject({
      name: "StudyNotInPrimaryArchiveError",
      code: "PIXL_STUDY_NOT_IN_PRIMARY",
    });
    const secondary = processMessage(messageFor(STUDY), "secondary", processing);
    await expect(secondary).rejects.toThrow(/Failed to find study .* in primary or secondary archive\./);
    await expect(secondary).rejects.toThrow(DiscardError);
    expect(site.anon.imports).toEqual([]);
  });

  it.each([
    ["Monday at 11:00", MONDAY_11_AM, "2026-01-05T20:00:00.001Z"],
    ["Saturday at 02:00", SATURDAY_2_AM, "2026-01-12T00:00:00.000Z"],
  ])("I10: does not ask the secondary archive on %s", async (_, atMs, until) => {
    await using processing = openSiteProcessing(site, {}, { clock: clockAt(atMs) });
    const refused = processMessage(messageFor(STUDY), "secondary", processing);
    await expect(refused).rejects.toThrow(OutOfHoursError);
    await expect(refused).rejects.toMatchObject({ untilMs: Date.parse(until) });
  });

  it("I11: gives up what the primary has not, when the secondary is the same", async () => {
    await using processing = openSiteProcessing(site, { SECONDARY_DICOM_SOURCE_AE_TITLE: "PRIMARYQR" });
    const refused = processMessage(messageFor(STUDY), "primary", processing);
    await expect(refused).rejects.toThrow("is the same as PRIMARY_DICOM_SOURCE_AE_TITLE.");
    await expect(refused).rejects.toThrow(DiscardError);
  });

  it("W1: never takes another study of the same MRN and accession number for the one whose UID was found", async () => {
    await using processing = openSiteProcessing(site);
    const { patientId, accessionNumber } = STUDY;
    const other = syntheticStudy({ ...SMALL, seed: 902, series: 2, patientId, accessionNumber });
    await store(site.vna, [...STUDY.instances, ...other.instances]);
    // As many instances as are wanted: counts alone would call it complete.
    await store(site.raw, other.instances);
    await processMessage(messageFor(STUDY), "primary", processing);
    expect(await instancesIn(site.raw, STUDY.studyInstanceUid)).toEqual(uidsOf(STUDY));
    expect(site.anon.imports).toMatchObject([{ StudyInstanceUIDs: [STUDY.studyInstanceUid] }]);
  });

  it("W1: does not look elsewhere for series that the study of the UID has not", async () => {
    const { logger, lines } = createLinesLogger();
    await using processing = openSiteProcessing(site, {}, { logger });
    await store(site.vna, STUDY.instances);
    const message = messageFor(STUDY, { seriesUid: "1.2.3.4.5" });
    await expect(processMessage(message, "primary", processing)).rejects.toThrow(StudyNotInPrimaryArchiveError);
    expect(lines.map(({ event }) => event)).toEqual(["wanted series are not in the archive"]);
  });

  it("retrieves and hands over all studies of one MRN and accession number together", async () => {
    await using processing = openSiteProcessing(site);
    const { patientId, accessionNumber } = STUDY;
    const other = syntheticStudy({ ...SMALL, seed: 902, series: 3, patientId, accessionNumber });
    await store(site.vna, [...STUDY.instances, ...other.instances]);
    const report = await processMessage(messageFor(STUDY, { studyUid: "" }), "primary", processing);
    expect(report).toMatchObject({ studies: 2, instances: 5 });
    expect(site.anon.imports).toHaveLength(1);
    const { ResourceIDs = [], StudyInstanceUIDs = [] } = site.anon.imports[0] ?? {};
    expect([...StudyInstanceUIDs].sort()).toEqual([STUDY.studyInstanceUid, other.studyInstanceUid].sort());
    // orthanc-anon goes through both lists side by side.
    const uids = new Map(
      (await find(site.raw, "Study")).map(({ ID, MainDicomTags }) => [ID, MainDicomTags.StudyInstanceUID]),
    );
    expect(ResourceIDs.map((id) => uids.get(id))).toEqual(StudyInstanceUIDs);
  });

  it("W2: tells swapped instances from complete ones though their number is right", async () => {
    await using processing = openSiteProcessing(site);
    const more = syntheticStudy({ ...SMALL, seed: 901, series: 2, instancesPerSeries: 2 });
    await store(site.vna, STUDY.instances);
    // One of the wanted, and one that the archive does not have.
    const stranger = more.instances.filter(({ sopInstanceUid }) => !uidsOf(STUDY).includes(sopInstanceUid)).slice(0, 1);
    await store(site.raw, [...STUDY.instances.slice(0, 1), ...stranger]);
    await processMessage(messageFor(STUDY), "primary", processing);
    expect(await instancesIn(site.raw, STUDY.studyInstanceUid)).toEqual(expect.arrayContaining([...uidsOf(STUDY)]));
  });

  it.each([
    ["a blank accession number", { studyUid: "", accessionNumber: "" }, "PIXL_MESSAGE_KEYS_BLANK"],
    ["an MRN of blanks", { studyUid: "", mrn: "  " }, "PIXL_MESSAGE_KEYS_BLANK"],
    ["a wildcard", { studyUid: "", accessionNumber: "AA*" }, "PIXL_MESSAGE_KEY_UNSAFE"],
    ["a list", { studyUid: "", mrn: "1\\2" }, "PIXL_MESSAGE_KEY_UNSAFE"],
  ])("W7: refuses %s before any archive is asked", async (_, keys, code) => {
    await using processing = openSiteProcessing(site);
    const paths = pathsAsked(processing);
    await expect(processMessage(messageFor(STUDY, keys), "primary", processing)).rejects.toMatchObject({
      name: "DiscardError",
      code,
    });
    expect(paths).toEqual([]);
  });

  it("W7: takes no study of another patient under the same accession number", async () => {
    await using processing = openSiteProcessing(site);
    const { accessionNumber } = STUDY;
    const other = syntheticStudy({ ...SMALL, seed: 902, patientId: "SOMEBODY-ELSE", accessionNumber });
    await store(site.vna, other.instances);
    const wanted = messageFor(STUDY, { studyUid: "" });
    await expect(processMessage(wanted, "primary", processing)).rejects.toThrow(StudyNotInPrimaryArchiveError);
    await store(site.vna, STUDY.instances);
    expect(await processMessage(wanted, "primary", processing)).toMatchObject({ studies: 1 });
    expect(site.anon.imports.map(({ StudyInstanceUIDs }) => StudyInstanceUIDs)).toEqual([[STUDY.studyInstanceUid]]);
    expect(await instancesIn(site.raw, other.studyInstanceUid)).toEqual([]);
  });

  it.each([
    ["the MRN", { accessionNumber: "" }],
    ["the accession number", { mrn: "" }],
  ])("W7: does not ask by %s alone where a UID is not found", async (_, blank) => {
    await using processing = openSiteProcessing(site);
    const paths = pathsAsked(processing);
    const message = messageFor(STUDY, { studyUid: "1.2.3.4.5", ...blank });
    await expect(processMessage(message, "primary", processing)).rejects.toThrow(StudyNotInPrimaryArchiveError);
    expect(paths.filter((path) => path.startsWith("modalities"))).toHaveLength(1);
  });

  it("W7: refuses keys that lead to more studies than may be", async () => {
    await using processing = openSiteProcessing(site, { RADFERRY_PIXL_MAXIMUM_STUDIES: "1" });
    const { patientId, accessionNumber } = STUDY;
    const other = syntheticStudy({ ...SMALL, seed: 902, patientId, accessionNumber });
    await store(site.vna, [...STUDY.instances, ...other.instances]);
    await expect(processMessage(messageFor(STUDY, { studyUid: "" }), "primary", processing)).rejects.toMatchObject({
      name: "DiscardError",
      code: "TOO_MANY_STUDIES",
    });
  });

  it("W8: hands over further series of a study that was handed over before", async () => {
    await using processing = openSiteProcessing(site);
    await store(site.vna, STUDY.instances);
    for (const instance of [FIRST, SECOND]) {
      await processMessage(messageFor(STUDY, { seriesUid: instance?.seriesInstanceUid ?? "" }), "primary", processing);
    }
    expect(site.anon.imports.map(({ SeriesInstanceUIDs }) => SeriesInstanceUIDs)).toEqual([
      [FIRST?.seriesInstanceUid],
      [SECOND?.seriesInstanceUid],
    ]);
  });

  it("W9: repairs a study of more series than Orthanc keeps queries", async () => {
    await using processing = openSiteProcessing(site);
    const many = syntheticStudy({ ...SMALL, seed: 903, series: 120 });
    await store(site.vna, many.instances);
    await store(site.raw, many.instances.slice(5));
    expect(await processMessage(messageFor(many), "primary", processing)).toMatchObject({
      instances: 120,
      retrieved: 5,
    });
  });

  it("W27: retrieves a study once that two projects ask for at once", async () => {
    await using processing = openSiteProcessing(site);
    await store(site.vna, STUDY.instances);
    const reports = await Promise.all(
      ["project-a", "project-b"].map((projectName) =>
        processMessage(messageFor(STUDY, { projectName }), "primary", processing),
      ),
    );
    expect(reports.map(({ retrieved }) => retrieved).sort()).toEqual([0, 2]);
    expect(site.anon.imports.map(({ ProjectName }) => ProjectName).sort()).toEqual(["project-a", "project-b"]);
  });

  it("ends in orthanc-raw where nothing is to be handed over", async () => {
    await using processing = openSiteProcessing(site, { ORTHANC_AUTOROUTE_RAW_TO_ANON: "False" });
    await store(site.vna, STUDY.instances);
    expect(await processMessage(messageFor(STUDY), "primary", processing)).toMatchObject({ isHandedOver: false });
    expect(await instancesIn(site.raw, STUDY.studyInstanceUid)).toEqual(uidsOf(STUDY));
    expect(site.anon.imports).toEqual([]);
  });

  it("W3: says that anon is down, for the message to be tried again", async () => {
    await using processing = openSiteProcessing(site);
    await store(site.vna, STUDY.instances);
    site.anon.status = 503;
    await expect(processMessage(messageFor(STUDY), "primary", processing)).rejects.toMatchObject({
      name: "RequeueMessageError",
      code: "HTTP_UNAVAILABLE",
      stage: "handing-over",
    });
  });

  it("does what the page shows, as a program of its own", async () => {
    const page = await readFile(join(ROOT, "docs", "pixl.md"), "utf8");
    const [, example = ""] = /^```ts\n(.*?)^```$/ms.exec(page) ?? [];
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "node_modules"));
    await symlink(ROOT, join(folder.path, "node_modules", "radferry"));
    // Whatever the folders above are.
    await writeFile(join(folder.path, "package.json"), '{"type": "module"}');
    await writeFile(join(folder.path, "example.ts"), example);
    await writeFile(join(folder.path, "message.json"), serialise(messageFor(STUDY)));
    await store(site.vna, STUDY.instances);
    const env = { ...process.env, ...site.environment() };
    const { stdout } = await promisify(execFile)(process.execPath, ["example.ts"], { cwd: folder.path, env });
    expect(stdout).toBe("1 studies, 2 instances, 2 of them retrieved now\n");
    expect(site.anon.imports).toHaveLength(1);
  });
});
