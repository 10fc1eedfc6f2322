import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ctImage, part10Bytes, put, text } from "../../../src/deid/testing/objects.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import { element } from "../../../src/dicom/values.ts";
import { type CliResult, runCli } from "../../support/cli.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { identityElements, readOutput, slice, studyIdentity } from "./support/studies.ts";
import { createTokens, type Tokens } from "./support/tokens.ts";
import { tracesOf } from "./support/traces.ts";

/** Files of every fate, under names that tell a patient's; ever another reason to speak of them. */
async function inputs(tokens: Tokens): Promise<ReadonlyMap<string, Uint8Array>> {
  const [sound, burnedIn, leaky] = [studyIdentity(tokens), studyIdentity(tokens), studyIdentity(tokens)];
  const image = await part10Bytes(slice(sound, 1, tokens));
  const other = { ...sound, patientId: tokens.text() };
  const report = ctImage([...identityElements(sound), text(0x00080016, "1.2.840.10008.5.1.4.1.1.88.11")]);
  const [family = ""] = leaky.patientName.split("^");
  const objects: readonly (readonly [string, Uint8Array])[] = [
    ["sound", image],
    ["copy", image],
    ["truncated", image.subarray(0, image.length - 20)],
    ["cut within its head", image.subarray(0, 700)],
    ["no DICOM", Buffer.from(tokens.text().repeat(20))],
    ["burned in", await part10Bytes(slice(burnedIn, 1, tokens, [text(0x00280301, "YES")]))],
    ["another patient", await part10Bytes(slice(other, 2, tokens))],
    [
      "leaky",
      await part10Bytes(slice(leaky, 1, tokens, [element(tagOf(0x00283006), "OW", Buffer.from(family.padEnd(14)))])),
    ],
    ["left out", await part10Bytes(report)],
  ];
  return new Map(objects.map(([name, bytes]) => [`${tokens.text()} ${name}`, bytes]));
}

it("given files whose names and values are tokens, when a run says all it can, then no token is in what it says, writes or names", async () => {
  await using folder = await temporaryFolder();
  const tokens = createTokens(26);
  for (const [name, bytes] of await inputs(tokens)) await put(join(folder.path, "in", tokens.text(), name), bytes);
  await writeFile(join(folder.path, "key"), `${"5a".repeat(32)}\n`, { mode: 0o600 });
  const input = join(folder.path, "in");
  const first = (await readdir(input, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const files = first.map((entry) => join(entry.parentPath, entry.name));
  const said: CliResult[] = [];
  const deid = async (...args: readonly string[]): Promise<void> => {
    said.push(await runCli(["deid", ...args], { workingFolder: folder.path }));
  };
  const using = (profile: string) => ["--profile", profile, "--key-file", "key"];
  for (const profile of ["basic", "research"]) {
    await deid("run", "in", profile, ...using(profile));
    await deid("run", "in", `${profile}-json`, ...using(profile), "--json");
  }
  for (const file of files) {
    await deid("preview", file, "--profile", "research");
    for (const output of files.slice(0, 2)) await deid("verify", file, output, ...using("research"), "--json");
  }

  const spoken = said.map(({ stdout, stderr }) => stdout + stderr).join("\n");
  for (const code of ["INSTANCE_NOT_PARSABLE", "BURNED_IN_ANNOTATION", "IDENTIFIER_FOUND"])
    expect(spoken).toContain(code);
  expect(tracesOf(Buffer.from(spoken), tokens.marks)).toEqual([]);
  for (const output of ["basic", "basic-json", "research", "research-json"]) {
    const { contents } = await readOutput(join(folder.path, output));
    for (const [name, bytes] of contents) {
      expect(tracesOf(Buffer.from(name), tokens.marks)).toEqual([]);
      expect(tracesOf(bytes, tokens.marks), name).toEqual([]);
    }
  }
});
