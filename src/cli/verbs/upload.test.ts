import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PracticeXnat, startXnat } from "../../../test/peers/xnat/start-xnat.ts";
import { newProject } from "../../../test/peers/xnat/state.ts";
import { runCli } from "../../../test/support/cli.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { openXnatClient } from "../../network/rest/xnat/login.ts";
import { neverAborted } from "../../units/abort.ts";

const HUB_ID = "0b1d6ee6-6b1f-4a4e-9c5a-7f1f7f3c9a01";
const PLACE = ["--project", HUB_ID, "--accession", "ACC1", "--net", "unet", "--scan", "3", "--resource", "SEG"];

describe("upload", () => {
  const opened = new AsyncDisposableStack();
  let xnat: PracticeXnat;
  let environment: Record<string, string>;
  beforeAll(async () => {
    const { path } = opened.use(await temporaryFolder());
    xnat = opened.use(await startXnat({ workEveryMs: 0 }));
    xnat.state.projects.set("trial", newProject("trial", { secondaryId: HUB_ID }));
    const credentials = { username: xnat.username, password: () => Promise.resolve(xnat.password) };
    await using client = openXnatClient({ baseUrl: xnat.url, credentials });
    const session = "data/projects/trial/subjects/S1/experiments/ACC1?xsiType=xnat:ctSessionData";
    await using _ = await client.request({ method: "PUT", path: session, signal: neverAborted() });
    await mkdir(join(path, "unet", "upload"), { recursive: true });
    await writeFile(join(path, "unet", "upload", "mask.nii"), "mask");
    environment = {
      XNAT_URL: xnat.url,
      XNAT_SERVICE_USER: xnat.username,
      XNAT_SERVICE_PASSWORD: xnat.password,
      BASE_IMAGES_DOWNLOAD_DIR: path,
    };
  });
  afterAll(() => opened.disposeAsync());

  const upload = async (...args: readonly string[]) => {
    const { exitCode, stdout } = await runCli(["upload", ...args, "--json"], { environment });
    return { exitCode, document: JSON.parse(stdout) };
  };

  it("puts a net's files into the session of the hub's project, and says what XNAT holds", async () => {
    const { exitCode, document } = await upload(...PLACE, "mask.nii");
    expect(exitCode).toBe(0);
    const file = { name: "mask.nii", sizeBytes: 4, outcome: "stored", md5: expect.stringMatching(/^[0-9a-f]{32}$/) };
    expect(document).toMatchObject({ project: "trial", resource: "SEG", files: [file] });
    expect(await upload(...PLACE, "mask.nii")).toMatchObject({
      exitCode: 1,
      document: { error: { code: "XNAT_FILE_EXISTS" } },
    });
    const again = await upload(...PLACE, "--exist-ok", "mask.nii");
    expect(again).toMatchObject({ exitCode: 0, document: { files: [{ outcome: "unchanged" }] } });
  });

  it.each([
    ["a file out of the folder", [...PLACE, "../../x"], "XNAT_NAME_UNSAFE"],
    ["a net out of the folder", [...PLACE, "--net", "../unet", "mask.nii"], "XNAT_NAME_UNSAFE"],
    ["a file that is not there", [...PLACE, "none.nii"], "XNAT_FILE_MISSING"],
  ])("asks XNAT nothing about %s", async (_, args, code) => {
    const before = xnat.requests.length;
    expect(await upload(...args)).toMatchObject({ exitCode: 1, document: { error: { code } } });
    expect(xnat.requests.length).toBe(before);
  });

  it("says which project and which settings are missing", async () => {
    expect(await upload(...PLACE, "--project", "other", "mask.nii")).toMatchObject({
      document: { error: { code: "XNAT_PROJECT_MISSING" } },
    });
    const { exitCode, stdout } = await runCli(["upload", ...PLACE, "mask.nii", "--json"], { environment: {} });
    expect(exitCode).toBe(2);
    expect(stdout).toContain("XNAT_SERVICE_PASSWORD");
  });
});
