import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ctImage, part10Bytes, put } from "../../src/deid/testing/objects.ts";
import { runCli } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

it("the lines about `radferry deid` in the README do what they say", async () => {
  await using folder = await temporaryFolder();
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const lines = [...readme.matchAll(/^bin\/radferry (deid [^#\n]+)/gm)].map(([, line = ""]) =>
    line.trim().split(/\s+/),
  );
  expect(lines.map(([, verb]) => verb)).toEqual(["run", "preview", "explain", "diff"]);

  const image = await part10Bytes(ctImage());
  await put(join(folder.path, "incoming", "1"), image);
  await put(join(folder.path, "image.dcm"), image);
  const verb = (...args: readonly string[]) => runCli(args, { workingFolder: folder.path });
  await mkdir(join(folder.path, "keys"));
  await verb("project", "new-key", "keys/lung-ct.key");
  for (const line of lines) {
    expect(await verb(...line), line.join(" ")).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/./) });
  }
});
