import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { expect, it } from "vitest";
import { freePort } from "../peers/free-port.ts";
import { type ArchiveFaults, startPracticeArchive } from "../peers/practice-archive.ts";
import { practiceStudies } from "../peers/practice-studies.ts";
import { makeSite, PROJECT, type Site } from "../support/site.ts";

const studies = practiceStudies();

/** Every identifying text of the input: names, numbers, dates, UIDs. Dates alone are too short to be told from our own time stamps in a log. */
const identifiers = [...new Set(studies.flatMap((study) => study.identifiers))];
const spelt = identifiers.flatMap((identifier) => [identifier, identifier.replaceAll("^", " ")]);

/** Wrong in every way, so that every error text is seen. */
const BAD_ROWS = [
  `${studies[0]?.patientId}*,,,`,
  `,${studies[0]?.accessionNumber}?,,`,
  `,,${studies[0]?.studyInstanceUid}.x,`,
  `${studies[1]?.patientId},,,`,
  `,,${studies[1]?.studyInstanceUid},nine`,
];

function cohort(): string {
  const good = studies.flatMap(({ patientId, accessionNumber, studyInstanceUid }, index) =>
    index % 2 === 0 ? `${patientId},${accessionNumber},,` : `,,${studyInstanceUid},`,
  );
  return ["patient_id,accession_number,study_instance_uid,priority", ...good, ...BAD_ROWS].join("\n");
}

/** One study is cut, one is garbage, one is sent with the wrong object among it: every refusal is logged. */
function faults(): ArchiveFaults {
  let sent = 0;
  return {
    select: (instances, asked) => (asked === 0 ? [...(studies.at(-1)?.instances ?? []), ...instances] : instances),
    async *send({ bytes, studyInstanceUid }) {
      sent += 1;
      if (studyInstanceUid === studies[2]?.studyInstanceUid) yield Buffer.alloc(512, 0x41);
      else if (sent === 9) throw new Error("cut");
      else yield bytes;
    },
  };
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function everythingSaid(site: Site): Promise<string> {
  const said: string[] = [];
  const note = async (...verb: readonly string[]): Promise<void> => {
    const { stdout, stderr } = await site.run(...verb);
    said.push(stdout, stderr);
  };
  const service = await site.serve("--log-level", "debug");
  await note("cohort", "submit", await site.write("wanted.csv", cohort()), "--project", PROJECT, "--wait");
  await note("cohort", "list");
  await note("study", "list");
  const { stdout } = await site.run("study", "list");
  for (const { id } of JSON.parse(stdout)) await note("study", "show", id);
  await note("doctor");
  await note("archive", "echo", "practice");
  await note("study", "show", "job-unknown");
  await service[Symbol.asyncDispose]();
  said.push(service.log());
  return said.join("\n");
}

it("names no patient in logs, documents, errors, reports, file names or delivered bytes", async () => {
  const dicomPort = await freePort();
  await using archive = await startPracticeArchive({
    studies,
    destinations: [`RADFERRY@127.0.0.1:${dicomPort}`],
    faults: faults(),
  });
  await using site = await makeSite({
    dicomPort,
    archives: [{ name: "practice", address: archive.address, retrieve: "move" }],
    retry: { attempts: 4, firstDelaySeconds: 0.1, maximumDelaySeconds: 0.2 },
  });
  const said = await everythingSaid(site);
  expect(said).toContain("INSTANCE_UNREADABLE");
  expect(said).toContain("incoming instance refused");
  for (const identifier of spelt)
    expect(said.includes(identifier), `an identifier of kind ${kindOf(identifier)} was said`).toBe(false);

  const delivered = await filesBelow(site.delivered);
  expect(delivered.length).toBeGreaterThan(50);
  for (const path of delivered) {
    const text = `${relative(site.delivered, path)}\n${await readFile(path, "latin1")}`;
    for (const identifier of spelt) {
      expect(text.includes(identifier), `an identifier of kind ${kindOf(identifier)} was delivered`).toBe(false);
    }
  }
  const outsideStaging = (await filesBelow(site.home))
    .map((path) => relative(site.home, path))
    .filter((path) => !path.startsWith("staging"));
  for (const identifier of spelt) expect(outsideStaging.some((path) => path.includes(identifier))).toBe(false);
}, 90_000);

/** For the message: what sort of text leaked, without repeating it. */
function kindOf(identifier: string): string {
  if (/^[\d.]+$/.test(identifier)) return identifier.includes(".") ? "UID" : "number";
  return "name";
}
