import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse, stringify } from "yaml";
import type { SyntheticStudy } from "../peers/synthetic-studies.ts";
import { openPushSite, type PushSite } from "../support/push-site.ts";
import { ctStudy } from "../support/rehearsal.ts";

const FIRST = ctStudy(401, 1);
const SECOND = ctStudy(402, 1);
const TYPE = 'multipart/related; type="application/dicom"; boundary=B';

/** Matches nothing here: every project that has no archive wants a rule. */
const OTHER = { name: "other", descriptions: ["no such"], project: "other" };
const ALL = [OTHER, { name: "all", project: "trial" }];

async function push({ api }: PushSite, { instances }: SyntheticStudy): Promise<number> {
  const parts = instances.flatMap(({ file }) => [
    Buffer.from("\r\n--B\r\nContent-Type: application/dicom\r\n\r\n"),
    file,
  ]);
  const body = Buffer.concat([...parts, Buffer.from("\r\n--B--\r\n")]);
  const headers = { "content-type": TYPE, accept: "application/dicom+json" };
  return (await api.call("POST", "//dicomweb/studies", { body, headers })).status;
}

it("gives studies to projects by the rules that were reloaded, and keeps what it has", async () => {
  await using site = await openPushSite({ rules: ALL });
  expect(await push(site, FIRST)).toBe(200);
  const file = join(site.api.service.folder, "radferry.yaml");
  const settings = parse(await readFile(file, "utf8"));
  const rules = [
    OTHER,
    { name: "second", descriptions: ["no such"], project: "trial" },
    { name: "none", refuse: "Send this to the PACS" },
  ];
  await writeFile(file, stringify({ ...settings, intake: { ...settings.intake, rules } }));
  const { status, json } = await site.api.call("POST", "/settings/reload");
  expect({ status, json }).toMatchObject({ status: 200, json: { others: ["intake.rules"], needsRestart: [] } });
  expect(await push(site, SECOND)).toBe(409);
  expect(await site.until(([study]) => study?.state === "delivered")).toHaveLength(1);
});

it("leaves it to a restart to begin with it or to end it", async () => {
  await using site = await openPushSite({ rules: ALL });
  const file = join(site.api.service.folder, "radferry.yaml");
  const { intake: _intake, ...settings } = parse(await readFile(file, "utf8"));
  const archived = settings.projects.map((project: object) => ({ ...project, archives: ["elsewhere"] }));
  const archives = [{ name: "elsewhere", kind: "folder", path: site.folder }];
  await writeFile(file, stringify({ ...settings, archives, projects: archived }));
  const { status, json } = await site.api.call("POST", "/settings/reload");
  expect({ status, json }).toMatchObject({ status: 200, json: { needsRestart: ["intake"] } });
  expect(await push(site, FIRST)).toBe(200);
});
