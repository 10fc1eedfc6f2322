import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { openHttpClient } from "../../src/network/http-client/http-client.ts";
import { storeInOrthanc } from "../../src/network/rest/orthanc/resources.ts";
import { neverAborted } from "../../src/units/abort.ts";
import { startOrthanc } from "../peers/orthanc.ts";
import { findPeer, requirePeer } from "../peers/require-peer.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const isInstalled = [requirePeer("Orthanc"), requirePeer("libOrthancDicomWeb.so")].every(Boolean);

/** The examples of a page, in their order. */
async function examplesOf(page: string): Promise<readonly string[]> {
  const text = await readFile(join(ROOT, "docs", page), "utf8");
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code);
}

it.skipIf(!isInstalled)("runs what the page on scripts shows, as a program of its own", async () => {
  const plan = {
    modality: "CT",
    series: 2,
    instancesPerSeries: 2,
    patientId: "4711",
    accessionNumber: "0042",
  } as const;
  const study = syntheticStudy({ seed: 701, ...plan });
  const configuration = { Plugins: [findPeer("libOrthancDicomWeb.so")], DicomWeb: { Enable: true } };
  await using server = await startOrthanc({ aeTitle: "ORTHANC", configuration });
  const url = `http://127.0.0.1:${server.httpPort}`;
  await using client = openHttpClient({ baseUrl: url });
  for (const { file } of study.instances) {
    const read = async function* () {
      yield file;
    };
    await storeInOrthanc(client, read, neverAborted());
  }

  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, "node_modules"));
  await symlink(ROOT, join(folder.path, "node_modules", "radferry"));
  const environment = { ...process.env, ARCHIVE_URL: `${url}/dicom-web`, ORTHANC_URL: url };
  const outputs: string[] = [];
  for (const [index, code] of (await examplesOf("library.md")).entries()) {
    const path = join(folder.path, `example${index}.ts`);
    await writeFile(path, code);
    outputs.push((await run(process.execPath, [path], { cwd: folder.path, env: environment })).stdout);
  }
  expect(outputs).toEqual(["CT Series 1\ncomplete 2\nCT Series 2\ncomplete 2\n", "complete 0\n"]);
  expect(await readdir(join(folder.path, "scans"))).toEqual([".incoming", study.studyInstanceUid]);
  expect((await readdir(join(folder.path, "by-modality", "CT"))).sort()).toEqual(
    study.instances.map(({ sopInstanceUid }) => `${sopInstanceUid}.dcm`).sort(),
  );
});
