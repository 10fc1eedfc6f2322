import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openService } from "../support/service.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** By FLIP's own names; nothing is asked before somebody asks the face. */
const FLIP = {
  XNAT_URL: "http://127.0.0.1:1",
  XNAT_PORT: "8104",
  XNAT_SERVICE_USER: "flip",
  XNAT_SERVICE_PASSWORD: "correct horse",
  BASE_IMAGES_DOWNLOAD_DIR: "/tmp/no-images",
  AES_KEY_BASE64: Buffer.alloc(32, 1).toString("base64"),
};
const face = { host: "127.0.0.1", port: 0 };

it("shows FLIP's imaging-api inside the service, set up by FLIP's own names", async () => {
  await using service = await openService({ settings: { compat: { flip: face } }, environment: FLIP });
  const answer = await fetch(`http://127.0.0.1:${service.gateway.facePorts?.flip}/health`);
  expect(await answer.json()).toEqual({ status: "ok", version: "1.2.3", dead_tasks: [] });
});

it("takes the names from the original's own file, and its values before the service's", async () => {
  await using folder = await temporaryFolder();
  const environmentFile = join(folder.path, "flip.env");
  const lines = Object.entries({ ...FLIP, TRUST_INTERNAL_SERVICE_KEY: "ours" }).map(
    ([name, value]) => `${name}=${value}`,
  );
  await writeFile(environmentFile, lines.join("\n"), { mode: 0o600 });
  const settings = { compat: { flip: { ...face, environmentFile } } };
  await using service = await openService({ settings, environment: { TRUST_INTERNAL_SERVICE_KEY: "other" } });
  const ask = (key: string) =>
    fetch(`http://127.0.0.1:${service.gateway.facePorts?.flip}/users/`, {
      method: "POST",
      headers: { "X-Trust-Internal-Service-Key": key },
    });
  expect((await ask("other")).status).toBe(401);
  expect((await ask("ours")).status).toBe(422);
});

it("does not start with a face that lacks what it needs, and says all of it", async () => {
  const { AES_KEY_BASE64: _, XNAT_PORT: __, ...environment } = FLIP;
  const problems = ["AES_KEY_BASE64", "XNAT_PORT"].map((path) => expect.objectContaining({ path }));
  await expect(openService({ settings: { compat: { flip: face } }, environment })).rejects.toMatchObject({
    code: "SETTINGS_INVALID",
    problems: expect.arrayContaining(problems),
  });
});

it("shows ScanHub's managers inside the service, its lake where ScanHub's own name says", async () => {
  await using folder = await temporaryFolder();
  const environment = { DATA_LAKE_DIRECTORY: join(folder.path, "lake") };
  await using service = await openService({ settings: { compat: { scanhub: face } }, environment });
  const base = `http://127.0.0.1:${service.gateway.facePorts?.scanhub}/api/v1`;
  expect(await (await fetch(`${base}/device/health/readiness`)).json()).toEqual({ status: "ok" });
  expect((await fetch(`${base}/exam/task/templates/all`)).status).toBe(401);
  expect(await readdir(environment.DATA_LAKE_DIRECTORY)).toEqual([".radferry-staging"]);
});

it("says what is wrong with ScanHub's names, all of it", async () => {
  const environment = { LOG_LEVEL: "loud", RADFERRY_SCAN_IDLE_SECONDS: "never" };
  const problems = ["LOG_LEVEL", "RADFERRY_SCAN_IDLE_SECONDS"].map((path) => expect.objectContaining({ path }));
  await expect(openService({ settings: { compat: { scanhub: face } }, environment })).rejects.toMatchObject({
    code: "SETTINGS_INVALID",
    problems: expect.arrayContaining(problems),
  });
});
