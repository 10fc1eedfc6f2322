import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { readPasswordFile, readTokenFile } from "./credential-files.ts";

async function readAs(text: string, read: (path: string) => Promise<string>): Promise<string> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "secret");
  await writeFile(path, text, { mode: 0o600 });
  return await read(path);
}

it.each([
  ["one line", "open sesame\n", "open sesame"],
  ["a line that ends as on Windows", "open sesame\r\n", "open sesame"],
  ["no line end", "sesame", "sesame"],
  ["blanks, which are the password's own", " sesame \n", " sesame "],
  ["as much as there may be", `${"x".repeat(1_024)}\r\n`, "x".repeat(1_024)],
])("reads a password from a file with %s", async (_, text, password) => {
  expect(await readAs(text, readPasswordFile)).toBe(password);
});

it.each([
  ["nothing", ""],
  ["a line end alone", "\n"],
  ["two lines", "open\nsesame\n"],
  ["more than a password", `${"x".repeat(1_025)}\n`],
  ["much more than a password", "x".repeat(5_000)],
])("takes %s for no password, and no part of it", async (_, text) => {
  await expect(readAs(text, readPasswordFile)).rejects.toMatchObject({ code: "PASSWORD_FILE_MALFORMED" });
});

it("reads a token that is longer than any password", async () => {
  expect(await readAs(`${"x".repeat(16_384)}\n`, readTokenFile)).toHaveLength(16_384);
  const tooLong = readAs(`${"x".repeat(16_385)}\n`, readTokenFile);
  await expect(tooLong).rejects.toMatchObject({ code: "PASSWORD_FILE_MALFORMED" });
});
