import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
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
