import { createHash } from "node:crypto";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startXnat } from "../../../test/peers/xnat/start-xnat.ts";
import type { XnatSwitches } from "../../../test/peers/xnat/switches.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { openXnatClient } from "../../network/rest/xnat/login.ts";
import { neverAborted } from "../../units/abort.ts";
import { resultFilesIn } from "./local-files.ts";
import { type ResultTarget, uploadResults } from "./upload-results.ts";

const signal = neverAborted();
const TARGET: ResultTarget = { project: "trial", session: "ACC1", of: { scan: "3" }, resource: "SEG" };

/** A CT session, and a folder of results. */
async function scene(switches: Partial<XnatSwitches> = {}) {
  const opened = new AsyncDisposableStack();
  const { path } = opened.use(await temporaryFolder());
  const xnat = opened.use(await startXnat({ projects: ["trial"], workEveryMs: 0 }));
  const credentials = { username: xnat.username, password: () => Promise.resolve(xnat.password) };
  const client = opened.use(openXnatClient({ baseUrl: xnat.url, credentials }));
  const session = "data/projects/trial/subjects/S1/experiments/ACC1";
  for (const more of ["?xsiType=xnat:ctSessionData", "/assessors/A1"]) {
    await using _ = await client.request({ method: "PUT", path: `${session}${more}`, signal });
  }
  Object.assign(xnat.switches, switches);
  const [experiment] = xnat.state.projects.get("trial")?.experiments.values() ?? [];
  return {
    xnat,
    experiment,
    folder: path,
    async upload(contents: Readonly<Record<string, string>>, existOk = false, target: Partial<ResultTarget> = {}) {
      for (const [name, text] of Object.entries(contents)) {
        await mkdir(join(path, name, ".."), { recursive: true });
        await writeFile(join(path, name), text);
      }
      const files = await resultFilesIn(path, Object.keys(contents), { keepFolders: true });
      return await uploadResults(client, { ...TARGET, ...target }, files, { existOk }, signal);
    },
    uploads: () => xnat.requests.filter((line) => line.startsWith("PUT") && line.includes("/files/")).length,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

describe("results into a session of XNAT", () => {
  it("come into a scan of the session's own type, with their sub-folders, each proven", async () => {
    await using site = await scene();
    expect(await site.upload({ "mask.nii": "one", "sub/mask.nii": "two" })).toMatchObject([
      { name: "mask.nii", outcome: "stored", md5: md5("one") },
      {
        name: "sub/mask.nii",
        outcome: "stored",
        address: expect.stringMatching(/^\/data\/experiments\/.*\/files\/sub\/mask\.nii$/),
      },
    ]);
    const scan = site.experiment?.scans.get("3");
    expect(scan?.xsiType).toBe("xnat:ctScanData");
    expect([...(scan?.resources.get("SEG")?.files.keys() ?? [])]).toEqual(["mask.nii", "sub/mask.nii"]);
  });

  it("come into an assessor, or into the session itself", async () => {
    await using site = await scene();
    await site.upload({ "report.json": "{}" }, false, { of: { assessor: "A1" } });
    await site.upload({ "report.json": "{}" }, false, { of: "session" });
    expect(site.experiment?.assessors.get("A1")?.resources.get("SEG")?.files.has("report.json")).toBe(true);
    expect(site.experiment?.resources.get("SEG")?.files.has("report.json")).toBe(true);
  });

  it("are not sent at all when one of them is there and may not be replaced", async () => {
    await using site = await scene();
    await site.upload({ "b.nii": "old" });
    await expect(site.upload({ "a.nii": "new", "b.nii": "new" })).rejects.toMatchObject({
      code: "XNAT_FILE_EXISTS",
      details: { position: 2 },
    });
    await expect(site.upload({ "b.nii": "new", "c.nii": "new" })).rejects.toMatchObject({ details: { position: 1 } });
    expect(site.uploads()).toBe(1);
  });

  it("replace what is there when they may, and leave alone what is the same", async () => {
    await using site = await scene();
    await site.upload({ "a.nii": "old", "b.nii": "same" });
    const outcomes = (await site.upload({ "a.nii": "newer", "b.nii": "same" }, true)).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(["replaced", "unchanged"]);
    expect(site.uploads()).toBe(3);
    expect(site.experiment?.scans.get("3")?.resources.get("SEG")?.files.get("a.nii")?.md5).toBe(md5("newer"));
  });

  it("are read back where the site keeps no sums", async () => {
    await using site = await scene({ digests: false });
    expect(await site.upload({ "a.nii": "text" })).toMatchObject([{ outcome: "stored" }]);
    expect(site.xnat.requests.filter((line) => /^GET .*\/files\/a\.nii/.test(line))).toHaveLength(1);
  });

  it("are not called uploaded when XNAT says 200 and writes nothing", async () => {
    await using site = await scene();
    await site.upload({ "a.nii": "text" });
    site.xnat.switches.mayWrite = false;
    await expect(site.upload({ "b.nii": "text" })).rejects.toMatchObject({ code: "XNAT_FILE_NOT_WRITTEN" });
    // Longer than what is there, and as long.
    for (const text of ["other", "next"])
      await expect(site.upload({ "a.nii": text }, true)).rejects.toMatchObject({
        code: "XNAT_FILE_UNCONFIRMED",
        class: "ambiguous",
      });
  });

  it("go nowhere without a session", async () => {
    await using site = await scene();
    const missing = site.upload({ "a.nii": "text" }, false, { session: "ACC2" });
    await expect(missing).rejects.toMatchObject({ code: "XNAT_SESSION_MISSING" });
  });

  it.each([{ session: "../x" }, { resource: ".." }, { of: { scan: "a/b" } }, { project: "" }])(
    "with %j are refused before XNAT is asked anything",
    async (target) => {
      await using site = await scene();
      const before = site.xnat.requests.length;
      await expect(site.upload({ "a.nii": "x" }, false, target)).rejects.toMatchObject({ code: "XNAT_NAME_UNSAFE" });
      expect(site.xnat.requests.length).toBe(before);
    },
  );
});

describe("files of results", () => {
  it("lie below their folder, links followed", async () => {
    await using folder = await temporaryFolder();
    await using other = await temporaryFolder();
    await writeFile(join(other.path, "secret"), "x");
    await writeFile(join(folder.path, "fine"), "four");
    await symlink(join(other.path, "secret"), join(folder.path, "link"));
    await mkdir(join(folder.path, "sub"));
    const unsafe = { code: "XNAT_NAME_UNSAFE", details: { position: 1 } };
    for (const path of ["../x", "link", "/etc/passwd", "", "a\0b", "."])
      await expect(resultFilesIn(folder.path, [path])).rejects.toMatchObject(unsafe);
    await symlink("ring", join(folder.path, "ring"));
    for (const path of ["none", "sub", "fine/below", "ring", "n".repeat(300)])
      await expect(resultFilesIn(folder.path, ["fine", path])).rejects.toMatchObject({
        code: "XNAT_FILE_MISSING",
        details: { position: 2 },
      });
    expect(await resultFilesIn(folder.path, ["fine"])).toMatchObject([{ name: "fine", sizeBytes: 4 }]);
  });

  it("keep the names they are asked by, whatever the links among them are called", async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "cache"));
    await writeFile(join(folder.path, "cache", "5f0e"), "text");
    await symlink("cache", join(folder.path, "latest"));
    await symlink("cache/5f0e", join(folder.path, "mask.nii"));
    const paths = ["mask.nii", "latest/5f0e", join(folder.path, "cache", "5f0e")];
    const names = (await resultFilesIn(folder.path, paths, { keepFolders: true })).map(({ name }) => name);
    expect(names).toEqual(["mask.nii", "latest/5f0e", "cache/5f0e"]);
  });

  it("of one name in two folders are refused unless folders are kept", async () => {
    await using folder = await temporaryFolder();
    for (const sub of ["a", "b"]) {
      await mkdir(join(folder.path, sub));
      await writeFile(join(folder.path, sub, "mask"), sub);
    }
    await expect(resultFilesIn(folder.path, ["a/mask", "b/mask"])).rejects.toMatchObject({ code: "XNAT_NAME_UNSAFE" });
    expect(await resultFilesIn(folder.path, ["a/mask", "b/mask"], { keepFolders: true })).toMatchObject([
      { name: "a/mask" },
      { name: "b/mask" },
    ]);
  });
});
