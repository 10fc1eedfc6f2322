import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { freePort } from "../peers/free-port.ts";
import { ctStudy, submit, until, withArchive } from "../support/rehearsal.ts";

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
