import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { readEnvironmentFile } from "./environment-file.ts";

/** As `docker compose` reads a `.env` file: "Inline comments for unquoted values must be preceded with a space." */
it.each([
  ["NAME=plain", "plain"],
  ["NAME=pass#word", "pass#word"],
  ["NAME=it's#`pass`", "it's#`pass`"],
  ["export NAME = pass#word # comment", "pass#word"],
  ["NAME=plain # comment", "plain"],
  ["NAME=plain\t# comment", "plain"],
  ["NAME= # comment", ""],
  ["NAME='in # quotes' # comment", "in # quotes"],
  ['NAME="in # quotes"', "in # quotes"],
  ["# NAME=x#y\r\nNAME=line#end\r", "line#end"],
])("reads %j as containers are given it", async (text, value) => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "face.env");
  await writeFile(path, `${text}\n`, { mode: 0o600 });
  expect(await readEnvironmentFile(path)).toEqual({ NAME: value });
});
