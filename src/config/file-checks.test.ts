import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { checkSettings } from "./load-settings.ts";

it.each([
  ["home: ./file\nstaging: { path: ./file/below }\n", ["home FOLDER_NOT_WRITABLE"]],
  ["home: ./file/below\n", ["home FOLDER_NOT_WRITABLE"]],
  ["home: ./home\nstaging: { path: ./file/below }\n", ["staging.path FOLDER_NOT_WRITABLE"]],
  ["home: ./new/home\n", []],
])("finds a file where home or staging is to be: %s", async (text, expected) => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "file"), "");
  await writeFile(join(folder.path, "radferry.yaml"), text);
  const { problems } = await checkSettings({ environment: {}, cwd: folder.path });
  expect(problems.map(({ path, code }) => `${path} ${code}`)).toEqual(expected);
});

describe("the keys and profiles of projects", () => {
  const SITE =
    "archives: [{ name: vna, kind: dimse, address: 'A@h:104' }]\ndestinations: [{ name: store, kind: folder, path: out }]\n";

  async function problemsOf(...projects: readonly string[]): Promise<readonly string[]> {
    await using folder = await temporaryFolder();
    for (const digit of ["1", "2", "3"])
      await writeFile(join(folder.path, `${digit}.key`), `${digit.repeat(64)}\n`, { mode: 0o600 });
    await writeFile(join(folder.path, "like-3.key"), `${"3".repeat(64)}\n`, { mode: 0o600 });
    await writeFile(join(folder.path, "open.key"), `${"4".repeat(64)}\n`, { mode: 0o644 });
    await writeFile(
      join(folder.path, "pixl.yaml"),
      "profile: p\nversion: 1\nbase: basic-2026c\npseudonyms: { mode: pixl }\n",
    );
    const text = projects.map(
      (project, index) => `  - { name: p${index}, archives: [vna], destinations: [store], ${project} }\n`,
    );
    await writeFile(join(folder.path, "radferry.yaml"), `${SITE}projects:\n${text.join("")}`);
    const { problems } = await checkSettings({ environment: {}, cwd: folder.path });
    return problems.map(({ path, code }) => `${path} ${code}`);
  }

  it("are ours alone, and each another one, be they for pseudonyms or for the linkage", async () => {
    expect(
      await problemsOf(
        "profile: research, keyFile: 1.key, linkageKeyFile: 3.key",
        "profile: research, keyFile: 2.key, linkageKeyFile: like-3.key",
        "profile: research, keyFile: like-3.key, linkageKeyFile: open.key",
      ),
    ).toEqual([
      "projects[1].linkageKeyFile SETTING_DUPLICATE",
      "projects[2].keyFile SETTING_DUPLICATE",
      "projects[2].linkageKeyFile KEY_FILE_READABLE_BY_OTHERS",
    ]);
  });

  it("fit together: PIXL's pseudonyms need its secrets", async () => {
    expect(await problemsOf("profile: pixl.yaml, keyFile: 1.key")).toEqual([
      "projects[0].profile PSEUDONYM_SOURCE_MISSING",
    ]);
  });
});
