import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { readParquetColumns } from "../../src/cohort/parquet-columns.ts";
import { TABLE_LIMITS } from "../../src/cohort/table-file.ts";
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

const SLUG = "test-extract";
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

interface Delivered {
  readonly study: string;
  readonly patient: string;
  readonly accession: string;
  readonly description: string;
}

describe.skipIf(!isInstalled)("a site that leaves PIXL's services behind", () => {
  const running = new AsyncDisposableStack();
  let vna: PracticeArchive;
  let ftps: FtpsPeer;
  let web: OrthancServer;
  let xnat: PracticeXnat;
  let site: Site;

  beforeAll(async () => {
    const port = 0;
    vna = running.use(await startPracticeArchive({ studies: STUDIES }));
    xnat = running.use(await startXnat({ projects: [SLUG] }));
    const configuration = { Plugins: [findPeer("libOrthancDicomWeb.so")], DicomWeb: { Enable: true } };
    web = running.use(await startOrthanc({ aeTitle: "WEB", configuration }));
    const archives = [{ name: "vna", address: vna.address, retrieve: "get" as const }];
    site = running.use(await makeSite({ archives, dicomPort: port }));
    ftps = running.use(await startFtpsPeer({ folder: site.folder, security: "implicit" }));
    await importedProject();
  });
  afterAll(() => running.disposeAsync());

  /** PIXL's project with its FTPS server, and two destinations more. */
  async function importedProject(): Promise<void> {
    const config = await writePixlProject(site.folder, SLUG, {
      project: { name: SLUG, azure_kv_alias: "test", modalities: ["DX", "CR"] },
      allowed_manufacturers: [{ regex: "^company", exclude_series_numbers: [] }],
      min_instances_per_series: 1,
      series_filters: ["localizer", "positioning"],
      destination: { dicom: "ftps", parquet: "ftps" },
    });
    const server = ["--host", "127.0.0.1", "--port", `${ftps.port}`, "--username", ftps.username];
    const import_ = ["project", "import-pixl", config, "--archive", "vna", "--accept-free-text", "--add", ...server];
    expect(await site.run(...import_)).toMatchObject({ exitCode: 0 });

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
    await site.run("project", "new-key", `keys/${SLUG}.key`);
    const passwords = { "test--ftp--password": ftps.password, xnat: xnat.password };
    for (const [name, text] of Object.entries({ ...SECRETS, ...passwords })) {
      await chmod(await site.write(join("secrets", name), `${text}\n`), 0o600);
    }
    expect(await site.run("config", "check")).toMatchObject({ exitCode: 0 });
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
    const path = join(site.folder, `${cohort}.parquet`);
    await site.run("cohort", "export", cohort, "--format", "pixl-linker", "-o", path);
    return await readParquetColumns(path, ["procedure_occurrence_id", "pseudo_study_uid"], TABLE_LIMITS);
  }

  it("runs PIXL's CSV extract: a zip for each study, with what the project wants and nothing else", async () => {
    const rows = [ONE, TWO, TWO].map(
      ({ patientId, accessionNumber }, index) =>
        `${index + 4},${patientId}, ${accessionNumber} ,${SLUG},2023-12-07T14:08:00Z,2022-11-22,NA,`,
    );
    const header =
      "procedure_id,mrn,accession_number,project_name,extract_generated_timestamp,study_date,study_uid,participant_id";
    const cohort = await site.write("extract.csv", `${[header, ...rows].join("\n")}\n`);
    const { document } = await site.run("cohort", "submit", cohort, "--project", SLUG, "--wait");
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
    const extract = join(site.folder, `extract-${batched}`);
    await mkdir(extract);
    const procedures = [ONE, TWO].map(({ patientId, accessionNumber }, index) => ({
      id: index + 40,
      mrn: patientId,
      accession: accessionNumber,
    }));
    await writeOmopExtract(extract, [...procedures, { id: 42, mrn: TWO.patientId }], {
      batched,
      project: "Test: extract",
    });
    const asked = vna.timesSent.size;
    const before = await Promise.all((await zipNames()).map((name) => readFile(join(ftps.folder, SLUG, name))));
    const { document } = await site.run("cohort", "submit", extract, "--project", SLUG, "--wait");
    expect(document).toMatchObject({ rows: 2, accepted: 2, joined: 2, done: true });
    expect(vna.timesSent.size).toBe(asked);
    const after = await Promise.all((await zipNames()).map((name) => readFile(join(ftps.folder, SLUG, name))));
    expect(after.every((bytes, index) => bytes.equals(before[index] ?? Buffer.alloc(0)))).toBe(true);
    const links = await linked(String(document.cohort));
    expect(links.map(([procedure]) => procedure)).toEqual(["40", "41"]);
    expect(new Set(links.map(([, uid]) => `${uid}.zip`))).toEqual(new Set(await zipNames()));
  });

  it("asks the FTPS server in doctor whether it lets us in", async () => {
    const checkOf = async () => {
      const { document } = await site.run("doctor");
      const checks = document.checks as readonly {
        readonly check: string;
        readonly ok: boolean;
        readonly code?: string;
      }[];
      return checks.find(({ check }) => check.includes(`${SLUG}-ftps`));
    };
    expect(await checkOf()).toMatchObject({ ok: true });
    await site.write("secrets/test--ftp--password", "wrong\n");
    expect(await checkOf()).toMatchObject({ ok: false, code: "FTPS_LOGIN_REFUSED" });
  });
});
