import { readFileSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { readParquetColumns } from "../../src/cohort/parquet-columns.ts";
import { TABLE_LIMITS } from "../../src/cohort/table-file.ts";
import { checkSettings } from "../../src/config/load-settings.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { bytesSource, readPart10 } from "../../src/dicom/reader.ts";
import { textOf } from "../../src/dicom/values.ts";
import { type FtpsPeer, startFtpsPeer } from "../peers/ftps-server.ts";
import { type OrthancServer, startOrthanc } from "../peers/orthanc.ts";
import { type PracticeArchive, startPracticeArchive } from "../peers/practice-archive.ts";
import { requirePythonPeers } from "../peers/python-peers.ts";
import { findPeer, requirePeer } from "../peers/require-peer.ts";
import { type PracticeXnat, startXnat } from "../peers/xnat/start-xnat.ts";
import { readZip } from "../peers/xnat/zip.ts";
import { writeOmopExtract } from "../support/omop-extract.ts";
import { writePixlProject } from "../support/pixl-project.ts";
import { pixlStudy } from "../support/pixl-studies.ts";
import { makeSite, type Site } from "../support/site.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const SLUG = "chest-study";
const [ONE, TWO] = [
  { patientId: "987654321", accessionNumber: "AA12345601" },
  { patientId: "5020765", accessionNumber: "AA12345605" },
];
/** What the project wants of them is in capitals; two studies share a patient and an accession number. */
const STUDIES = [
  pixlStudy({
    seed: 871,
    ...ONE,
    series: [
      { modality: "DX", description: "AP CHEST" },
      { modality: "DX", description: "PA CHEST" },
      { modality: "MR", description: "unwanted modality" },
      { modality: "DX", description: "Positioning of chest" },
      { modality: "DX", description: "unwanted manufacturer", manufacturer: "Others" },
    ],
  }),
  pixlStudy({
    seed: 872,
    ...TWO,
    series: [
      { modality: "DX", description: "LATERAL CHEST" },
      { modality: "DX", description: "positioning" },
    ],
  }),
  pixlStudy({ seed: 873, ...TWO, series: [{ modality: "DX", description: "CHEST" }] }),
];
const BY_SERIES = pixlStudy({
  seed: 874,
  patientId: "11",
  accessionNumber: "AA12345611",
  series: ["AP CHEST", "PA CHEST", "LATERAL CHEST"].map((description) => ({ modality: "DX", description })),
});
/** Keyed BLAKE2b of patient id and both salts by Python's hashlib, as PIXL's hasher has it. */
const HASHES = {
  [ONE.patientId]: "da06393920ca4cbdcfde0addeae42354ab381f410891597317c9b7005f474264",
  [TWO.patientId]: "46d38ee853282226c777e0185c9eb6e0e3f379ef814e730bdb50b7e5212939cc",
};
const SECRETS = {
  "pixl-hash-key": "test-key",
  [`pixl-salt-${SLUG}`]: "a161577b49a9235a",
  "pixl-local-salt": "pixl_salt",
};
const isInstalled = [requirePeer("Orthanc"), requirePeer("libOrthancDicomWeb.so"), requirePythonPeers()].every(Boolean);

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/from-pixl.md"), "utf8");
/** In their order. */
const COMMANDS = [...PAGE.matchAll(/^radferry (.+)$/gm)].map(([, line = ""]) => line);

it("shows settings on its page that are right, but for the files they name", async () => {
  await using folder = await temporaryFolder();
  const blocks = [...PAGE.matchAll(/^```yaml\n(.+?)^```$/gms)].map(([, text = ""]) => text);
  expect(blocks).toHaveLength(2);
  await writeFile(join(folder.path, "radferry.yaml"), blocks.join(""));
  const { problems } = await checkSettings({ environment: {}, cwd: folder.path });
  expect(problems.map(({ path, code }) => `${path} ${code}`).sort()).toEqual([
    "destinations[0].authoritiesFile CERTIFICATE_FILE_UNREADABLE",
    "destinations[0].passwordFile SECRET_FILE_UNREADABLE",
  ]);
});

interface Check {
  readonly check: string;
  readonly ok: boolean;
  readonly code?: string;
}

interface Delivered {
  readonly study: string;
  readonly patient: string;
  readonly accession: string;
  readonly description: string;
}

describe.skipIf(!isInstalled)("a site that leaves PIXL's services behind", () => {
  const running = new AsyncDisposableStack();
  const ran = new Set<string>();
  let vna: PracticeArchive;
  let ftps: FtpsPeer;
  let web: OrthancServer;
  let xnat: PracticeXnat;
  let site: Site;

  beforeAll(async () => {
    vna = running.use(await startPracticeArchive({ studies: [...STUDIES, BY_SERIES] }));
    xnat = running.use(await startXnat({ projects: [SLUG] }));
    const configuration = { Plugins: [findPeer("libOrthancDicomWeb.so")], DicomWeb: { Enable: true } };
    web = running.use(await startOrthanc({ aeTitle: "WEB", configuration }));
    const archives = [{ name: "vna", address: vna.address, retrieve: "get" as const }];
    site = running.use(await makeSite({ archives, dicomPort: 0 }));
    ftps = running.use(await startFtpsPeer({ folder: site.folder, security: "implicit" }));
    await importedProject();
  });
  afterAll(() => running.disposeAsync());

  /** PIXL's project with its FTPS server, and two destinations more. */
  async function importedProject(): Promise<void> {
    await writePixlProject(join(site.folder, "projects"), SLUG, {
      project: { name: SLUG, modalities: ["DX", "CR"] },
      allowed_manufacturers: [{ regex: "^company", exclude_series_numbers: [] }],
      min_instances_per_series: 1,
      series_filters: ["localizer", "positioning"],
      destination: { dicom: "ftps", parquet: "ftps" },
    });
    expect(await ofPage("project import-pixl")).toMatchObject({ exitCode: 0 });

    const settings = join(site.folder, "radferry.yaml");
    const { destinations, projects, ...others } = parse(await readFile(settings, "utf8"));
    const user = { username: xnat.username, passwordFile: "secrets/xnat" };
    const [trial, imported] = projects;
    const more = [
      { name: "web", kind: "dicomweb", url: `http://127.0.0.1:${web.httpPort}/dicom-web` },
      { name: "xnat", kind: "xnat", url: xnat.url, ...user },
    ];
    const authoritiesFile = ftps.certificate.certificateFile;
    const [folder, made] = destinations;
    await writeFile(
      settings,
      stringify({
        ...others,
        destinations: [folder, { ...made, authoritiesFile }, ...more],
        projects: [trial, { ...imported, destinations: [...imported.destinations, "web", "xnat"] }],
      }),
    );
    await mkdir(join(site.folder, "secrets"));
    await mkdir(join(site.folder, "keys"));
    expect(await ofPage("project new-key")).toMatchObject({ exitCode: 0 });
    const passwords = { [`${SLUG}--ftp--password`]: ftps.password, xnat: xnat.password };
    for (const [name, text] of Object.entries({ ...SECRETS, ...passwords })) {
      await chmod(await site.write(join("secrets", name), `${text}\n`), 0o600);
    }
    expect(await ofPage("config check")).toMatchObject({ exitCode: 0 });
  }

  /** Runs the command of the page that begins so, with what is this site's own in it. */
  async function ofPage(beginning: string, ...own: readonly (readonly [string, string])[]): ReturnType<Site["run"]> {
    const line = COMMANDS.find((command) => command.startsWith(beginning));
    if (line === undefined) throw new Error(`the page has no command ${beginning}`);
    ran.add(line);
    const changed = [
      ["ftps.example.org", "127.0.0.1"] as const,
      ["--username chest-study", `--username ${ftps.username} --port ${ftps.port}`] as const,
      ...own,
    ];
    return await site.run(...changed.reduce((text, [from, to]) => text.replace(from, to), line).split(" "));
  }

  const zipNames = () => readdir(join(ftps.folder, SLUG));

  async function deliveredBy(name: string): Promise<readonly Delivered[]> {
    const entries = readZip(await readFile(join(ftps.folder, SLUG, name)));
    return await Promise.all(
      entries.map(async ({ bytes }) => {
        const { dataSet } = await readPart10(bytesSource(bytes));
        const text = (tag: (typeof tags)[keyof typeof tags]) => textOf(dataSet, tag) ?? "";
        return {
          study: text(tags.StudyInstanceUID),
          patient: text(tags.PatientID),
          accession: text(tags.AccessionNumber),
          description: text(tags.SeriesDescription),
        };
      }),
    );
  }

  async function linked(cohort: string): Promise<readonly (readonly (string | undefined)[])[]> {
    expect(await ofPage("cohort export", ["ID", cohort])).toMatchObject({ exitCode: 0 });
    const path = join(site.folder, "IMAGE_LINKER.parquet");
    return await readParquetColumns(path, ["procedure_occurrence_id", "pseudo_study_uid"], TABLE_LIMITS);
  }

  it("runs PIXL's CSV extract: a zip for each study, with what the project wants and nothing else", async () => {
    const rows = [ONE, TWO, TWO].map(
      ({ patientId, accessionNumber }, index) =>
        `${index + 4},${patientId}, ${accessionNumber} ,${SLUG},2023-12-07T14:08:00Z,2022-11-22,NA,`,
    );
    const header =
      "procedure_id,mrn,accession_number,project_name,extract_generated_timestamp,study_date,study_uid,participant_id";
    await site.write("extract.csv", `${[header, ...rows].join("\n")}\n`);
    const { document } = await ofPage("cohort submit extract.csv");
    expect(document).toMatchObject({ rows: 3, accepted: 3, states: { delivered: 3 }, done: true });

    const names = await zipNames();
    expect(names).toHaveLength(2);
    const byPatient = new Map<string, readonly string[]>();
    for (const name of names) {
      const delivered = await deliveredBy(name);
      expect(new Set(delivered.map(({ study }) => `${study}.zip`))).toEqual(new Set([name]));
      expect(new Set(delivered.map(({ accession }) => accession))).toEqual(new Set(["ANONYMIZED"]));
      const [patient = ""] = [...new Set(delivered.map((each) => each.patient))];
      byPatient.set(patient, delivered.map(({ description }) => description).sort());
    }
    expect(Object.fromEntries(byPatient)).toEqual({
      [HASHES[ONE.patientId] ?? ""]: ["AP CHEST", "PA CHEST"],
      [HASHES[TWO.patientId] ?? ""]: ["CHEST", "LATERAL CHEST"],
    });
    const uids = names.map((name) => name.replace(".zip", "")).sort();
    const links = await linked(String(document.cohort));
    expect(links.map(([procedure]) => procedure)).toEqual(["4", "5", "6"]);
    expect([...new Set(links.map(([, uid]) => uid))].sort()).toEqual(uids);
    expect(uids.filter((uid) => STUDIES.some(({ studyInstanceUid }) => studyInstanceUid === uid))).toEqual([]);
  });

  it("has delivered the same two studies by STOW-RS and to XNAT", async () => {
    const uids = (await zipNames()).map((name) => name.replace(".zip", "")).sort();
    const answer = await fetch(`http://127.0.0.1:${web.httpPort}/dicom-web/studies`);
    const studies: readonly Readonly<Record<string, { readonly Value: readonly string[] }>>[] = JSON.parse(
      await answer.text(),
    );
    expect(studies.map((study) => study["0020000D"]?.Value[0]).sort()).toEqual(uids);
    const sessions = [...(xnat.state.projects.get(SLUG)?.experiments.values() ?? [])];
    expect(sessions.map(({ uid }) => uid).sort()).toEqual(uids);
    expect(sessions.map(({ scans }) => scans.size)).toEqual([2, 2]);
  });

  it.each([false, true])("takes an OMOP extract for what it has delivered already (batched: %s)", async (batched) => {
    const extract = join(site.folder, "omop-extract");
    await rm(extract, { recursive: true, force: true });
    await mkdir(extract);
    const procedures = [ONE, TWO].map(({ patientId, accessionNumber }, index) => ({
      id: index + 40,
      mrn: patientId,
      accession: accessionNumber,
    }));
    await writeOmopExtract(extract, [...procedures, { id: 42, mrn: TWO.patientId }], {
      batched,
      project: "Chest study",
    });
    const asked = vna.timesSent.size;
    const before = await Promise.all((await zipNames()).map((name) => readFile(join(ftps.folder, SLUG, name))));
    const { document } = await ofPage("cohort submit omop-extract");
    expect(document).toMatchObject({ rows: 2, accepted: 2, joined: 2, done: true });
    expect(vna.timesSent.size).toBe(asked);
    const after = await Promise.all((await zipNames()).map((name) => readFile(join(ftps.folder, SLUG, name))));
    expect(after.every((bytes, index) => bytes.equals(before[index] ?? Buffer.alloc(0)))).toBe(true);
    const links = await linked(String(document.cohort));
    expect(links.map(([procedure]) => procedure)).toEqual(["40", "41"]);
    expect(new Set(links.map(([, uid]) => `${uid}.zip`))).toEqual(new Set(await zipNames()));
  });

  it("fetches the series that rows ask for, and further ones of a study that is delivered (W8)", async () => {
    const seriesRows = (...numbers: readonly number[]) => {
      const uid = BY_SERIES.studyInstanceUid;
      const rows = numbers.map((number) => `${uid},AA12345611,11,${uid}.${number}`);
      return ["study_uid,accession_number,mrn,series_uid", ...rows, ""].join("\n");
    };
    const before = await zipNames();
    const descriptionsAfter = async (rows: string) => {
      const cohort = await site.write("series.csv", rows);
      const { document } = await site.run("cohort", "submit", cohort, "--project", SLUG, "--wait");
      expect(document).toMatchObject({ states: { delivered: 1 }, done: true });
      const [name = ""] = (await zipNames()).filter((each) => !before.includes(each));
      return (await deliveredBy(name)).map(({ description }) => description).sort();
    };
    expect(await descriptionsAfter(seriesRows(1, 3))).toEqual(["AP CHEST", "LATERAL CHEST"]);
    expect(await descriptionsAfter(seriesRows(2))).toEqual(["AP CHEST", "LATERAL CHEST", "PA CHEST"]);
  });

  it("asks the FTPS server in doctor whether it lets us in, and how long its certificate lasts", async () => {
    const failed = async () => {
      const { document } = await ofPage("doctor");
      const checks = document.checks as readonly Check[];
      return checks.filter(({ check, ok }) => !ok && check.includes(`${SLUG}-ftps`)).map(({ code }) => code);
    };
    expect(await failed()).toEqual(["CERTIFICATE_EXPIRES_SOON"]);
    await site.write(`secrets/${SLUG}--ftp--password`, "wrong\n");
    expect(await failed()).toEqual(["CERTIFICATE_EXPIRES_SOON", "FTPS_LOGIN_REFUSED"]);
  });

  it("has done all that the page says", () => {
    expect([...ran].sort()).toEqual([...COMMANDS].sort());
  });
});
