import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openGateway } from "../../src/gateway/open-gateway.ts";
import { startOrthanc } from "../peers/orthanc.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { startSshd } from "../peers/sshd.ts";
import { runCli } from "../support/cli.ts";
import { ctStudy, withArchive } from "../support/rehearsal.ts";
import type { Site } from "../support/site.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const hasPeers = requirePeer("Orthanc") && requirePeer("sshd");

/** A verb in this process, by somebody with the role admin. */
async function run(site: Site, ...args: readonly string[]) {
  const environment = {
    RADFERRY_CONFIG: join(site.folder, "radferry.yaml"),
    RADFERRY__ACCESS__COMMANDLINEROLE: "admin",
    RADFERRY__PROJECTS__0__LINKAGEKEYFILE: join(site.folder, "linkage.key"),
  };
  const { exitCode, stdout, stderr } = await runCli([...args, "--json"], {
    environment,
    workingFolder: site.folder,
    openGateway,
  });
  return { exitCode, stdout, stderr, document: JSON.parse(stdout) };
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

const instancesBelow = async (folder: string) => (await filesBelow(folder)).filter((name) => name.endsWith(".dcm"));

it.skipIf(!hasPeers)(
  "takes a patient back from a folder, an Orthanc and an SFTP server at once, and names what only a person can",
  async () => {
    const [withdrawn, other] = [ctStudy(81, 2), ctStudy(82, 2)];
    await using keys = await temporaryFolder();
    await using sshd = await startSshd();
    await using orthanc = await startOrthanc({ aeTitle: "VNA" });
    const privateKeyFile = await writeKey(keys.path, sshd.privateKey);
    const { port, username, hostKey } = sshd;
    const sftp = { name: "dsh", kind: "sftp", host: "127.0.0.1", port, username, hostKeys: [hostKey] };
    const moreDestinations = [
      { ...sftp, privateKeyFile, folder: join(sshd.folder, "images") },
      { name: "vna", kind: "orthanc", url: `http://127.0.0.1:${orthanc.httpPort}` },
      { name: "pacs", kind: "dimse", address: `VNA@127.0.0.1:${orthanc.port}` },
    ];
    const studiesAtOrthanc = async (): Promise<number> =>
      JSON.parse(await (await fetch(`http://127.0.0.1:${orthanc.httpPort}/studies`)).text()).length;
    await withArchive(
      {},
      [withdrawn, other],
      async ({ site }) => {
        await run(site, "project", "new-key", "linkage.key");
        const rows = [withdrawn, other].map((study) => `${study.patientId},${study.accessionNumber}`).join("\n");
        const cohort = await site.write("wanted.csv", `patient_id,accession_number\n${rows}\n`);
        await run(site, "cohort", "submit", cohort, "--project", "trial", "--wait");
        const each = other.instances.length;
        expect(await instancesBelow(site.delivered)).toHaveLength(2 * each);
        expect(await instancesBelow(sshd.folder)).toHaveLength(2 * each);
        expect(await studiesAtOrthanc()).toBe(2);
        const list = await site.write("withdrawn.csv", `patient_id\n${withdrawn.patientId}\n`);
        const verb = ["patient", "withdraw", "--file", list, "--reason", "consent withdrawn"];

        const rehearsed = await run(site, ...verb, "--dry-run");
        expect(rehearsed).toMatchObject({ exitCode: 0, document: { projects: [{ studies: 1, left: { length: 4 } }] } });
        expect(await instancesBelow(site.delivered)).toHaveLength(2 * each);

        const done = await run(site, ...verb);
        // The Orthanc is two destinations: what is deleted over REST is gone for C-STORE too, or is a person's to look at.
        expect(done.document.projects).toMatchObject([{ project: "trial", patients: 1, studies: 1 }]);
        expect(await instancesBelow(site.delivered)).toHaveLength(each);
        expect(await instancesBelow(sshd.folder)).toHaveLength(each);
        expect(await studiesAtOrthanc()).toBe(1);

        const again = await run(site, ...verb);
        expect(again).toMatchObject({ exitCode: 0, document: { projects: [{ done: 1, left: [] }] } });
        const identifiers = withdrawn.identifiers;
        for (const { stdout, stderr } of [rehearsed, done, again])
          for (const identifier of identifiers) expect(stdout + stderr).not.toContain(identifier);
        for (const file of await filesBelow(site.home)) {
          const bytes = await readFile(file, "latin1");
          for (const identifier of [withdrawn.patientId, withdrawn.accessionNumber, withdrawn.studyInstanceUid])
            expect(bytes, file.slice(site.home.length)).not.toContain(identifier);
        }

        // From now on it is not even asked for.
        const wanted = await site.write("again.csv", `patient_id,accession_number\n${rows.split("\n")[0]}\n`);
        const asked = await run(site, "cohort", "submit", wanted, "--project", "trial", "--wait");
        expect(asked.document).toMatchObject({ accepted: 0, refused: [{ row: 1, code: "PATIENT_WITHDRAWN" }] });
        // Nor where only the archive tells whose it is.
        const byNumber = await site.write("number.csv", `study_instance_uid\n${withdrawn.studyInstanceUid}\n`);
        const located = await run(site, "cohort", "submit", byNumber, "--project", "trial", "--wait");
        expect(located.document).toMatchObject({ accepted: 1, states: { excluded: 1 } });
        expect(await instancesBelow(site.delivered)).toHaveLength(each);
      },
      { moreDestinations },
    );
  },
  120_000,
);

async function writeKey(folder: string, text: string): Promise<string> {
  const path = join(folder, "id");
  await writeFile(path, text, { mode: 0o600 });
  return path;
}
