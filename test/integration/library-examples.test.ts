import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { generateProjectKey } from "../../src/deid/pseudonyms/project-key.ts";
import { openHttpClient } from "../../src/network/http-client/http-client.ts";
import { storeInOrthanc } from "../../src/network/rest/orthanc/resources.ts";
import { neverAborted } from "../../src/units/abort.ts";
import { blocksOf } from "../docs/code-blocks.ts";
import { startOrthanc } from "../peers/orthanc.ts";
import { findPeer, requirePeer } from "../peers/require-peer.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { makeProgramFolder, runExample } from "../support/run-example.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const isInstalled = [requirePeer("Orthanc"), requirePeer("libOrthancDicomWeb.so")].every(Boolean);

const plan = {
  modality: "CT",
  series: 2,
  instancesPerSeries: 2,
  patientId: "4711",
  accessionNumber: "0042",
} as const;
const study = syntheticStudy({ seed: 701, ...plan });

/** What each example prints, in the order of the page. */
const PRINTED = [
  "CT Series 1\ncomplete 2\nCT Series 2\ncomplete 2\n",
  "complete 0\n",
  expect.stringMatching(/^CT 1\.2\.840\.10008\.1\.2\.1\n\d+ attributes\n$/),
  "accession number 0042\n",
  "CT\nCT\n",
  "P-0001 1 sha256\n",
  "SCHEDULED true\n",
] as const;

it.skipIf(!isInstalled)("runs what the page on programs shows, each as a program of its own", async () => {
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
  await makeProgramFolder(folder.path);
  const environment = {
    ARCHIVE_URL: `${url}/dicom-web`,
    ORTHANC_URL: url,
    PEER: `ORTHANC@127.0.0.1:${server.port}`,
    FILE: join(folder.path, "image.dcm"),
    KEY: join(folder.path, "lung-ct.key"),
  };
  await writeFile(environment.FILE, study.instances[0]?.file ?? "");
  await generateProjectKey(environment.KEY);
  const outputs: string[] = [];
  for (const code of blocksOf("library.md", "ts"))
    outputs.push(await runExample(code, { folder: folder.path, environment }));
  expect(outputs).toEqual(PRINTED);
  expect(await readdir(join(folder.path, "scans"))).toEqual([".incoming", study.studyInstanceUid]);
  expect((await readdir(join(folder.path, "by-modality", "CT"))).sort()).toEqual(
    study.instances.map(({ sopInstanceUid }) => `${sopInstanceUid}.dcm`).sort(),
  );
});
