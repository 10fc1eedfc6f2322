import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { environmentIn } from "./environment.ts";

/** What python-decouple 3.8 makes of each line. */
it.each([
  ["NAME=plain", "plain"],
  [" NAME = with blanks round it ", "with blanks round it"],
  ["NAME=pass#word", "pass#word"],
  ["NAME=pass #word", "pass #word"],
  ["NAME=#word", "#word"],
  ["NAME='in #quotes'", "in #quotes"],
  ['NAME="as\\nit stands"', "as\\nit stands"],
  ["NAME=`pass`", "`pass`"],
  ["NAME='one only", "'one only"],
  ["NAME=a=b", "a=b"],
  ["NAME=", ""],
  ["# NAME=comment\r\nNAME=line end\r", "line end"],
  ["NAME=first\nNAME=last", "last"],
])("reads %j as PIXL's own command line does", async (text, value) => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, ".env"), `${text}\n`);
  expect(await environmentIn(folder.path, {})).toEqual({ NAME: value });
});

it("is the environment alone where there is no file, and not where it cannot be read", async () => {
  await using folder = await temporaryFolder();
  expect(await environmentIn(folder.path, { NAME: "own" })).toEqual({ NAME: "own" });
  await expect(environmentIn(`${folder.path}/${"x".repeat(300)}`, {})).rejects.toMatchObject({
    code: "FILE_UNREADABLE",
    details: { file: ".env", reason: "ENAMETOOLONG" },
  });
});
