import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { z } from "zod";
import { freePort } from "../peers/free-port.ts";
import type { SyntheticInstance } from "../peers/synthetic-studies.ts";
import { ctStudy, submit, until, withArchive } from "../support/rehearsal.ts";
import { makeSite, PROJECT, type Site } from "../support/site.ts";

it("gives staged studies away by RAD-69 while the service runs, each under its own study only", async () => {
  const study = ctStudy(61);
  const port = await freePort();
  const plan = { imagingSource: { port } };
  const use: Parameters<typeof withArchive>[2] = async ({ site }) => {
    await using _service = await site.serve();
    await submit(site, [study]);
    await until(site, ([job]) => job?.state === "delivered");
    const out = join(site.folder, "got");
    const ask = async (studyInstanceUid: string) => {
      const rows = study.instances.map((each) => [studyInstanceUid, each.seriesInstanceUid, each.sopInstanceUid]);
      const list = await site.write("wanted.tsv", rows.map((row) => row.join("\t")).join("\n"));
      const verb = ["dicom", "rad69", `http://127.0.0.1:${port}/rids`, "--instances", list, "--out", out];
      return await site.run(...verb, "--attempts", "1");
    };
    expect(await ask("1.2.3")).toMatchObject({ exitCode: 1, document: { delivered: 0, failed: 4 } });
    expect(await ask(study.studyInstanceUid)).toMatchObject({ exitCode: 0, document: { delivered: 4 } });
    const expected = study.instances.map(({ sopInstanceUid }) => `${sopInstanceUid}.dcm`);
    expect((await readdir(out)).sort()).toEqual(expected.sort());
  };
  await withArchive({}, [study], use, plan);
});

/** What a reader is told of the instances. */
async function read(site: Site, port: number, instances: readonly SyntheticInstance[]) {
  const rows = instances.map((each) => [each.studyInstanceUid, each.seriesInstanceUid, each.sopInstanceUid].join("\t"));
  const list = await site.write("wanted.tsv", rows.join("\n"));
  const verb = [
    "dicom",
    "rad69",
    `http://127.0.0.1:${port}/rids`,
    "--instances",
    list,
    "--out",
    join(site.folder, "got"),
  ];
  const { document } = await site.run(...verb, "--attempts", "1");
  const { instances: told } = z
    .object({ instances: z.array(z.object({ state: z.string(), code: z.string().optional() })) })
    .parse(document);
  return [...new Set(told.map(({ state, code = state }) => code))];
}

it("asks who wants what was acknowledged and is not staged yet to ask again, and has it once it is", async () => {
  const study = ctStudy(62);
  const [dicomPort, port] = [await freePort(), await freePort()];
  await using site = await makeSite({
    dicomPort,
    archives: [{ name: "away", address: `AWAY@127.0.0.1:${await freePort()}`, retrieve: "get" }],
    imagingSource: { port },
    intake: { quietSeconds: 2, longestSeconds: 20, rules: [{ name: "scanners", project: PROJECT }] },
  });
  await using _service = await site.serve();
  expect(await read(site, port, study.instances)).toEqual(["RAD69_DOCUMENT_MISSING"]);
  const files = study.instances.map(({ sopInstanceUid, file }) => site.write(`${sopInstanceUid}.dcm`, file));
  const sent = await site.run("dicom", "store", `RADFERRY@127.0.0.1:${dicomPort}`, ...(await Promise.all(files)));
  expect(sent.exitCode).toBe(0);
  expect(await read(site, port, study.instances)).toEqual(["RAD69_REPOSITORY_BUSY"]);
  await until(site, ([job]) => job?.state === "delivered");
  expect(await read(site, port, study.instances)).toEqual(["delivered"]);
});
