import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openApiSite } from "../support/api.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

it("gives out, looks up and destroys a project's linkage by HTTP, with the patient in no address", async () => {
  await using folder = await temporaryFolder();
  for (const [name, byte] of Object.entries({ "trial.key": "11", "linkage.key": "22" }))
    await writeFile(join(folder.path, name), `${byte.repeat(32)}\n`, { mode: 0o600 });
  const settings = {
    archives: [{ name: "vna", kind: "dimse", address: "VNA@127.0.0.1:104", retrieve: "get" }],
    destinations: [{ name: "research", kind: "folder", path: join(folder.path, "research") }],
    projects: [
      {
        ...{ name: "trial", archives: ["vna"], destinations: ["research"], profile: "basic" },
        keyFile: join(folder.path, "trial.key"),
        linkageKeyFile: join(folder.path, "linkage.key"),
      },
    ],
  };
  await using site = await openApiSite({ settings });
  const call = (method: string, path: string, body?: unknown) =>
    site.call(method, `/projects/trial/linkage${path}`, { body });

  expect(await call("GET", "")).toMatchObject({
    status: 200,
    text: "patient_id,study_instance_uid,accession_number,pseudonym,pseudo_study_instance_uid,study,linked_at\n",
  });
  const nobody = { status: 200, json: { project: "trial", items: [] } };
  expect(await call("POST", "/lookup", { patientId: "P1" })).toMatchObject(nobody);
  expect(await call("POST", "/lookup", { pseudonym: "7F3A" })).toMatchObject(nobody);
  expect(await call("POST", "/lookup", { pseudonym: "7F3A", patientId: "P1" })).toMatchObject({ status: 422 });
  expect(await site.call("POST", "/projects/heart/linkage/lookup", { body: { pseudonym: "x" } })).toMatchObject({
    json: { code: "PROJECT_UNKNOWN" },
  });

  const rehearsed = { project: "trial", destroyed: false, links: 0 };
  expect(await call("POST", "/destroy", { dryRun: true })).toMatchObject({ status: 200, json: rehearsed });
  const proof = { destroyed: true, links: 0, digest: expect.any(String), journalEmptied: true };
  expect(await call("POST", "/destroy", {})).toMatchObject({ status: 200, json: proof });
  for (const asked of [call("GET", ""), call("POST", "/lookup", { patientId: "P1" })])
    expect(await asked).toMatchObject({ status: 410, json: { code: "LINKAGE_DESTROYED", details: { links: 0 } } });
});
