import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import { openPushSite, type PushSite } from "../support/push-site.ts";

let site: PushSite;
let tokens: { readonly router: string; readonly stray: string };
beforeAll(async () => {
  const rules = [
    { name: "routers", tokens: ["router"], project: "trial" },
    { name: "scanners", tokens: ["scanner"], project: "other" },
  ];
  site = await openPushSite({ rules, quietSeconds: 300, longestSeconds: 3_600 });
  const { api } = site;
  tokens = { router: await api.tokenOf("router", "sender"), stray: await api.tokenOf("stray", "sender") };
});
afterAll(() => site?.[Symbol.asyncDispose]());

const studyOf = (seed: number, patientId: string): SyntheticStudy =>
  syntheticStudy({ modality: "CT", rows: 4, columns: 4, instancesPerSeries: 2, seed, patientId });

async function push({ instances }: SyntheticStudy, token: string): Promise<void> {
  const head = Buffer.from("\r\n--B\r\nContent-Type: application/dicom\r\n\r\n");
  const body = Buffer.concat([...instances.flatMap(({ file }) => [head, file]), Buffer.from("\r\n--B--\r\n")]);
  const headers = { "content-type": 'multipart/related; type="application/dicom"; boundary=B' };
  expect((await site.api.call("POST", "//dicomweb/studies", { token, body, headers })).status).toBe(200);
}

/** Which of the studies have bytes in any file of the home. */
async function keptOf(studies: readonly SyntheticStudy[]): Promise<readonly number[]> {
  const entries = await readdir(join(site.api.service.folder, "home"), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const bytes = await Promise.all(files.map((file) => readFile(file, "latin1")));
  return studies.flatMap(({ studyInstanceUid }, index) =>
    bytes.some((text) => text.includes(studyInstanceUid)) ? [index] : [],
  );
}

it("takes back what was sent unasked of a withdrawn patient, and leaves what is held for another project to a person", async () => {
  const patientId = "GONE-4711";
  const [waiting, held, other] = [studyOf(61, patientId), studyOf(62, patientId), studyOf(63, "STAYS-0815")];
  await push(waiting, tokens.router);
  await push(held, tokens.stray);
  await push(other, tokens.router);
  expect(await keptOf([waiting, held, other])).toEqual([0, 1, 2]);

  const withdraw = async (project: string) =>
    (await site.api.call("POST", `/projects/${project}/withdrawals`, { body: { patientIds: [patientId] } })).json;
  expect(await withdraw("trial")).toMatchObject({ done: 1, left: [], waitingFor: [], unaskedHeld: 1 });
  expect(await keptOf([waiting, held, other])).toEqual([1, 2]);
  // No project is left that it could be given to.
  expect(await withdraw("other")).toMatchObject({ done: 1, left: [], waitingFor: [], unaskedHeld: 0 });
  expect(await keptOf([waiting, held, other])).toEqual([2]);
}, 60_000);
