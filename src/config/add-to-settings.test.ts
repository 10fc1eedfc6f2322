import { chown, lstat, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { addToSettings } from "./add-to-settings.ts";

const PROJECT = { projects: [{ name: "trial" }] };

it("writes to the file that a link leads to, and leaves the link", async () => {
  await using folder = await temporaryFolder();
  const kept = join(folder.path, "kept.yaml");
  const link = join(folder.path, "radferry.yaml");
  await writeFile(kept, "home: /data # ours\n", { mode: 0o640 });
  await symlink("kept.yaml", link);
  await (await addToSettings(link, PROJECT))();
  expect((await lstat(link)).isSymbolicLink()).toBe(true);
  expect(await readFile(kept, "utf8")).toBe("home: /data # ours\nprojects:\n  - name: trial\n");
  expect((await stat(kept)).mode & 0o777).toBe(0o640);
});

it.runIf(process.getuid?.() === 0)("leaves the file to whom it belongs: the service could not read it", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "radferry.yaml");
  await writeFile(file, "home: /data\n", { mode: 0o600 });
  await chown(file, 1_234, 1_235);
  await (await addToSettings(file, PROJECT))();
  expect(await stat(file)).toMatchObject({ uid: 1_234, gid: 1_235 });
});

it.each(["projects: { trial: {} }", "projects: trial", "projects: &p [{ name: a }]\narchives: *p"])(
  "takes nothing away that is no list: %j",
  async (text) => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "radferry.yaml");
    await writeFile(file, text);
    const lists = { ...PROJECT, archives: [{ name: "vna" }] };
    await expect(addToSettings(file, lists)).rejects.toMatchObject({ code: "SETTINGS_FILE_MALFORMED" });
  },
);

it("adds to a list below what stands in it, however it is written", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "radferry.yaml");
  await writeFile(file, "projects: [{ name: lung }]\n");
  await (await addToSettings(file, PROJECT))();
  expect(await readFile(file, "utf8")).toBe("projects:\n  - { name: lung }\n  - name: trial\n");
});

it("adds nothing beside an item of its name", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "radferry.yaml");
  await writeFile(file, "projects: [{ name: trial, keyFile: theirs }]\n");
  await expect(addToSettings(file, PROJECT)).rejects.toMatchObject({
    code: "SETTING_DUPLICATE",
    details: { list: "projects", name: "trial" },
  });
});

it("begins a file that is not there, and takes nothing that it cannot read for one", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "radferry.yaml");
  await (await addToSettings(file, PROJECT))();
  expect(await readFile(file, "utf8")).toBe("projects:\n  - name: trial\n");
  await expect(addToSettings(folder.path, PROJECT)).rejects.toMatchObject({ code: "SETTINGS_FILE_MISSING" });
});
