import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openGateway } from "../../src/gateway/open-gateway.ts";
import type { AuditRecordDocument, StudyDocument } from "../../src/operations/documents.ts";
import type { SyntheticStudy } from "../peers/synthetic-studies.ts";
import { runCli } from "../support/cli.ts";
import { cohortFile, ctStudy, withArchive } from "../support/rehearsal.ts";
import type { Site } from "../support/site.ts";

interface Settings {
  readonly role?: string;
  /** The linkage's key file; undefined: the project keeps no linkage. */
  readonly key?: string | undefined;
}

/** A verb in this process, with these settings. */
async function run(site: Site, args: readonly string[], { role = "admin", key = "linkage.key" }: Settings = {}) {
  const environment = {
    RADFERRY_CONFIG: join(site.folder, "radferry.yaml"),
    RADFERRY__ACCESS__COMMANDLINEROLE: role,
    ...(key === "" ? {} : { RADFERRY__PROJECTS__0__LINKAGEKEYFILE: join(site.folder, key) }),
  };
  const world = { environment, workingFolder: site.folder, openGateway };
  const { exitCode, stdout } = await runCli([...args, "--json"], world);
  return { exitCode, stdout, document: JSON.parse(stdout) };
}

const lookup = (...of: readonly string[]) => ["linkage", "lookup", "--project", "trial", ...of];
const DESTROY = ["linkage", "destroy", "--project", "trial"];
const refusedWith = (code: string, exitCode = 1) => ({ exitCode, document: { error: { code } } });

/** Every study that the site has delivered until then. */
async function deliver(site: Site, studies: readonly SyntheticStudy[]): Promise<readonly StudyDocument[]> {
  const file = await cohortFile(site, studies);
  const submitted = await run(site, ["cohort", "submit", file, "--project", "trial", "--wait"]);
  expect(submitted).toMatchObject({ exitCode: 0, document: { states: { delivered: studies.length } } });
  return (await run(site, ["study", "list"])).document;
}

async function expectLookups(site: Site, [study, other]: readonly SyntheticStudy[], done: StudyDocument) {
  const { pseudonym, pseudoStudyInstanceUid, id } = done;
  const link = { pseudonym, pseudoStudyInstanceUid, study: id, patientId: study?.patientId };
  const whole = { ...link, studyInstanceUid: study?.studyInstanceUid, accessionNumber: study?.accessionNumber };
  const byPseudonym = await run(site, lookup("--pseudonym", String(pseudonym)));
  expect(byPseudonym).toMatchObject({ exitCode: 0, document: { project: "trial", items: [whole] } });
  const byPatient = await run(site, lookup("--patient", ` ${study?.patientId} `));
  expect(byPatient.document).toEqual(byPseudonym.document);
  expect(await run(site, lookup("--patient", "nobody"))).toMatchObject({ exitCode: 1, document: { items: [] } });
  expect(await run(site, lookup())).toMatchObject(refusedWith("USAGE_INVALID", 2));
  const operator = await run(site, lookup("--pseudonym", String(pseudonym)), { role: "operator" });
  expect(operator).toMatchObject(refusedWith("ROLE_INSUFFICIENT"));
  expect(operator.stdout).not.toContain(other?.patientId);
}

async function expectExport(site: Site, studies: readonly SyntheticStudy[]): Promise<void> {
  await run(site, ["linkage", "export", "--project", "trial", "-o", "links.csv"]);
  const file = join(site.folder, "links.csv");
  const [header, ...lines] = (await readFile(file, "utf8")).trimEnd().split("\n");
  expect(header).toMatch(/^patient_id,study_instance_uid,accession_number,pseudonym,pseudo_study_instance_uid,/);
  const wanted = studies.map(({ patientId, studyInstanceUid }) => `${patientId},${studyInstanceUid}`);
  expect(lines.map((line) => line.split(",").slice(0, 2).join(",")).toSorted()).toEqual(wanted.toSorted());
  expect((await stat(file)).mode & 0o777).toBe(0o600);
}

async function expectTold(site: Site, studies: readonly SyntheticStudy[]): Promise<void> {
  const { document, stdout } = await run(site, ["audit", "tail"], { key: "" });
  const records: readonly AuditRecordDocument[] = document;
  const told = records.filter(({ event }) => /linkage|shown|refused/.test(event)).map(({ event }) => event);
  expect(told).toEqual([
    ...["identified-values-shown", "identified-values-shown", "identified-values-shown", "operation-refused"],
    ...["linkage-exported", "linkage-destroyed"],
  ]);
  for (const identifier of studies.flatMap(({ identifiers }) => identifiers)) expect(stdout).not.toContain(identifier);
}

it("tells who was who to admins, writes each look down, and can do so no more once it is destroyed", async () => {
  const studies = [ctStudy(71, 1), ctStudy(72, 1)];
  const late = ctStudy(73, 1);
  await withArchive({}, [...studies, late], async ({ site }) => {
    await run(site, ["project", "new-key", "linkage.key"], { key: "" });
    expect(await run(site, DESTROY, { key: "" })).toMatchObject(refusedWith("LINKAGE_NOT_KEPT"));
    const delivered = await deliver(site, studies);
    const first = delivered[0];
    if (first === undefined) throw new Error("nothing was delivered");
    await expectLookups(site, studies, first);
    await expectExport(site, studies);
    await run(site, ["project", "new-key", "other.key"], { key: "" });
    const elsewhere = await run(site, lookup("--pseudonym", "x"), { key: "other.key" });
    expect(elsewhere).toMatchObject(refusedWith("LINKAGE_UNREADABLE"));

    const rehearsed = await run(site, [...DESTROY, "--dry-run"]);
    expect(rehearsed.document).toEqual({ project: "trial", destroyed: false, links: 2, dryRun: true });
    const { document: proof } = await run(site, DESTROY);
    expect(proof).toMatchObject({ destroyed: true, links: 2, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(await run(site, lookup("--pseudonym", String(first.pseudonym)))).toMatchObject(
      refusedWith("LINKAGE_DESTROYED"),
    );
    expect(await run(site, lookup("--pseudonym", "x"), { key: "" })).toMatchObject(refusedWith("LINKAGE_DESTROYED"));
    // The project delivers on, and nobody is linked any more.
    expect(await deliver(site, [late])).toHaveLength(3);
    // A second time tells the same.
    expect((await run(site, DESTROY, { key: "" })).document).toEqual(proof);
    await expectTold(site, [...studies, late]);
  });
});
