import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseAeTitle } from "../../src/dicom/ae-title.ts";
import { startDimseServer } from "../../src/network/dimse/server.ts";
import { HUB_PROJECT, PROJECT, startFlipSite } from "../peers/flip-site.ts";
import { memoryArchive } from "../peers/memory-archive.ts";
import { openScannerSite } from "../peers/scanhub-site.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { archiveSession } from "../peers/xnat/arrivals.ts";
import { makeProgramFolder, runExample } from "../support/run-example.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { blocksOf, docsPages } from "./code-blocks.ts";

/** Who runs the examples of a page; this file, unless another one is named. */
const RUN_BY: Readonly<Record<string, string>> = {
  "flip.md": "integration/flip-process.test.ts",
  "from-dicomtrolley.md": "here",
  "from-flip.md": "here",
  "from-scanhub.md": "here",
  "library.md": "integration/library-examples.test.ts",
  "pixl.md": "integration/pixl-processing.test.ts",
  "rad69.md": "integration/rad69-example.test.ts",
};

it("runs the examples of every page that has some", () => {
  expect(docsPages().filter((page) => blocksOf(page, "ts").length > 0)).toEqual(Object.keys(RUN_BY));
});

it("uploads as the page on the way from FLIP shows", async () => {
  await using site = await startFlipSite();
  const { environment, images, xnat } = site;
  const project = xnat.state.projects.get(PROJECT);
  if (project === undefined) throw new Error("no project");
  archiveSession(xnat.state, project, {
    label: "S1",
    subject: "P1",
    uid: "1.2",
    date: "",
    xsiType: "xnat:ctSessionData",
  });
  await mkdir(join(images, "unet/upload"), { recursive: true });
  await writeFile(join(images, "unet/upload/mask.nii"), "mask");
  await using folder = await temporaryFolder();
  await makeProgramFolder(folder.path);
  const [upload = ""] = blocksOf("from-flip.md", "ts");
  const args = [HUB_PROJECT, "S1", "mask.nii"];
  const uploaded = () => runExample(upload, { folder: folder.path, environment, args });
  expect([await uploaded(), await uploaded()]).toEqual(["1 files are in XNAT\n", "FLIP_ALREADY_EXISTS\n"]);
});

it("sets a result as the page on ScanHub shows", async () => {
  await using site = await openScannerSite();
  const { id } = await site.addTask();
  await using folder = await temporaryFolder();
  await makeProgramFolder(folder.path);
  const [example = ""] = blocksOf("from-scanhub.md", "ts");
  const printed = (token: string) => runExample(example, { folder: folder.path, args: [id, token, site.exam] });
  expect(await printed(site.token)).toBe("scan MRD image.mrd\n");
  expect(await printed("nobody's")).toBe("404 Task not found 401\n");
});

it("searches and retrieves as the page on dicomtrolley shows", async () => {
  const { instances, patientId } = syntheticStudy({
    seed: 9_102,
    modality: "CT",
    rows: 4,
    columns: 4,
    instancesPerSeries: 2,
  });
  const aeTitle = parseAeTitle("ARCHIVE");
  await using server = await startDimseServer({
    host: "127.0.0.1",
    port: 0,
    aeTitle,
    handlers: memoryArchive(instances),
  });
  await using folder = await temporaryFolder();
  await makeProgramFolder(folder.path);
  const [example = ""] = blocksOf("from-dicomtrolley.md", "ts");
  const args = [`ARCHIVE@127.0.0.1:${server.port}`, patientId];
  expect(await runExample(example, { folder: folder.path, args })).toBe("CT complete 2\n");
});
