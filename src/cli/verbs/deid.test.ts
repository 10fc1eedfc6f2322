import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../../test/support/cli.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { encapsulatedFile, GREY_8, nativeFile, ultrasoundImage, withPixels } from "../../deid/testing/images.ts";
import { ctImage, part10Bytes, put, SOP_CLASSES, text } from "../../deid/testing/objects.ts";
import { tagOf } from "../../dicom/tag.ts";
import { element, sequenceElement } from "../../dicom/values.ts";

/** What must not be seen anywhere: words of the objects, of their UIDs and of the files' names. */
const TOKENS = ["Brandybuck", "MRN4455667", "ACC7788991", "SN-778123", "Harcourt", "Elsewhere", "9.7.1", "Tookname"];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let keyFile = "";
beforeEach(async () => {
  folder = await temporaryFolder();
  keyFile = join(folder.path, "lung.key");
  await writeFile(keyFile, `${"5a".repeat(32)}\n`, { mode: 0o600 });
});
afterEach(() => folder[Symbol.asyncDispose]());

const deid = (...args: readonly string[]) => runCli(["deid", ...args], { workingFolder: folder.path });
const runArguments = (...more: readonly string[]) => [
  "run",
  "in",
  "out",
  "--profile",
  "research",
  "--key-file",
  keyFile,
  ...more,
];
const putInput = async (name: string, bytes: Uint8Array | Promise<Uint8Array>) =>
  put(join(folder.path, "in", name), await bytes);

/** A CT slice of a study: its numbers make its UIDs. */
function slice(study: number, instance: number, changes: Parameters<typeof ctImage>[0] = []): Promise<Buffer> {
  return part10Bytes(
    ctImage([
      text(0x0020000d, `1.2.826.0.1.3680043.9.7.1.${study}`),
      text(0x0020000e, `1.2.826.0.1.3680043.9.7.2.${study}`),
      text(0x00080018, `1.2.826.0.1.3680043.9.7.3.${study}.${instance}`),
      ...changes,
    ]),
  );
}

async function outputs(): Promise<readonly string[]> {
  const names = await readdir(join(folder.path, "out"), { recursive: true });
  const isFile = async (name: string) => (await stat(join(folder.path, "out", name))).isFile();
  const kinds = await Promise.all(names.map(isFile));
  return names.filter((_, index) => kinds[index]).sort();
}

async function objects(): Promise<ReadonlyMap<string, Buffer>> {
  const names = (await outputs()).filter((name) => name.endsWith(".dcm"));
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder.path, "out", name))] as const)),
  );
}

describe("deid run", () => {
  it("writes what became what into a folder of its own, and refuses one beside the outputs", async () => {
    await putInput("1.dcm", slice(1, 1));
    const { exitCode, stdout } = await deid(...runArguments("--mapping-dir", "mapping", "--json"));
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ mapping: { uids: 4, patients: 1 } });
    expect(await readFile(join(folder.path, "mapping", "patients.csv"), "utf8")).toMatch(
      /^id_old,id_new\nMRN4455667,[0-9A-Z]{16}\n$/,
    );
    const refused = await deid(...runArguments("--mapping-dir", "out/mapping", "--json"));
    expect(refused.exitCode).not.toBe(0);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: "MAPPING_FOLDER_UNSAFE" } });
  });

  it("lays out what it lets go by pseudonyms, each study with its report", async () => {
    await putInput("Tookname^A/1.dcm", slice(1, 1));
    await putInput("Tookname^A/2.dcm", slice(1, 2));
    await putInput("b/3", slice(2, 1, [text(0x00100020, "OTHER99")]));
    const result = await deid(...runArguments("--project", "lung", "--json"));
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
    expect(JSON.parse(result.stdout)).toMatchObject({
      project: "lung",
      profile: { name: "research" },
      files: 3,
      studies: { total: 2, delivered: 2 },
      instances: { delivered: 3, rejected: 0, unreadable: 0 },
      failures: [],
    });
    const files = await outputs();
    const layout = /^lung\/[0-9A-Z]{16}\/2\.25\.[0-9]+\/(?:radferry-report\.json|2\.25\.[0-9]+\/2\.25\.[0-9]+\.dcm)$/;
    expect(files.filter((file) => !layout.test(file))).toEqual([]);
    expect(files).toHaveLength(5);
    const reports = files.filter((file) => file.endsWith(".json"));
    const texts = await Promise.all(reports.map((file) => readFile(join(folder.path, "out", file), "utf8")));
    const delivered = texts.map((report) => JSON.parse(report)).sort((a, b) => b.files.length - a.files.length);
    expect(delivered[0]).toMatchObject({
      project: "lung",
      outcome: "delivered",
      counts: { instances: 2, deidentified: 2 },
    });
  });

  it("says and writes nothing that tells a patient", async () => {
    await putInput("Tookname^A/1.dcm", slice(1, 1));
    await putInput("Tookname^A/2.dcm", slice(1, 2, [text(0x00080016, SOP_CLASSES.us)]));
    await putInput("Tookname^A/3.dcm", (await slice(1, 3)).subarray(0, 900));
    const results = [await deid(...runArguments()), await deid(...runArguments("--json", "--log-level", "debug"))];
    for (const { exitCode, stdout, stderr } of results) {
      expect(exitCode).toBe(3);
      for (const token of TOKENS) expect(stdout + stderr).not.toContain(token);
    }
    for (const file of await outputs()) {
      const bytes = await readFile(join(folder.path, "out", file));
      for (const token of TOKENS) expect([file, bytes.includes(token)]).toEqual([file, false]);
    }
  });

  it("goes on over bad files, and numbers them in the order of their paths", async () => {
    await putInput("a.dcm", slice(1, 1));
    await putInput("b.dcm", Buffer.from("not DICOM"));
    await putInput("c.dcm", slice(2, 1, [text(0x00080016, SOP_CLASSES.us)]));
    const result = await deid(...runArguments("--json"));
    expect(result.exitCode).toBe(3);
    expect(JSON.parse(result.stdout)).toMatchObject({
      studies: { total: 2, delivered: 1, quarantined: 1 },
      instances: { delivered: 1, rejected: 1, unreadable: 1 },
      failures: [
        { number: 2, code: "INSTANCE_NOT_PARSABLE", reason: "NOT_DICOM" },
        { number: 3, code: "SOP_CLASS_NOT_ALLOWED" },
      ],
    });
    const named = await deid(...runArguments("--names"));
    expect(named.stdout).toContain("file 2 b.dcm: ");
  });

  it("holds a whole study back for one bad file where the profile says so, and lets the rest go where it does not", async () => {
    for (const instance of [1, 2, 3]) await putInput(`${instance}.dcm`, slice(1, instance));
    await putInput("4.dcm", (await slice(1, 4)).subarray(0, -9));
    const asStudy = await deid("run", "in", "held", "--profile", "basic", "--key-file", keyFile, "--json");
    expect(asStudy.exitCode).toBe(3);
    expect(JSON.parse(asStudy.stdout)).toMatchObject({
      studies: { quarantined: 1 },
      instances: { delivered: 0, withheld: 3, rejected: 1 },
    });
    expect(await readdir(join(folder.path, "held"))).toEqual([]);
    const asInstances = await deid(...runArguments("--json"));
    expect(asInstances.exitCode).toBe(3);
    expect(JSON.parse(asInstances.stdout)).toMatchObject({ instances: { delivered: 3, withheld: 0, rejected: 1 } });
  });

  it("lets nothing go in which an identifier stands that another instance of the study tells", async () => {
    await putInput("1.dcm", slice(1, 1, [text(0x00181150, "44556677")]));
    expect((await deid(...runArguments())).exitCode).toBe(0);
    await putInput("2.dcm", slice(1, 2, [text(0x00101000, "44556677")]));
    const result = await deid(...runArguments("--json"));
    expect(result.exitCode).toBe(3);
    expect(JSON.parse(result.stdout)).toMatchObject({
      instances: { delivered: 1, rejected: 1 },
      failures: [{ number: 1, code: "IDENTIFIER_FOUND", reason: "id in (0018,1150)" }],
    });
    // What the first run let go, when nothing was known against it, is taken back.
    expect((await objects()).size).toBe(1);
  });

  it("takes a copy for what it is, and lets of two objects with one UID the first go", async () => {
    await putInput("1.dcm", slice(1, 1));
    await putInput("2.dcm", slice(1, 1));
    await putInput("3.dcm", slice(1, 1, [text(0x00180060, "140")]));
    const result = await deid(...runArguments("--json"));
    expect(JSON.parse(result.stdout)).toMatchObject({
      instances: { delivered: 1, duplicates: 1, rejected: 1 },
      failures: [{ number: 3, code: "INSTANCE_DUPLICATE" }],
    });
  });

  it("counts a copy for nothing where a series must have so many instances", async () => {
    for (const name of ["1.dcm", "2.dcm"]) await putInput(name, slice(1, 1));
    const filters = "filters: {min_instances_per_series: 2}";
    await writeFile(join(folder.path, "few.yaml"), `profile: few\nversion: 1\nbase: basic-2026c\n${filters}\n`);
    const result = await deid("run", "in", "out", "--profile", "few.yaml", "--key-file", keyFile, "--json");
    expect(JSON.parse(result.stdout)).toMatchObject({
      studies: { delivered: 0, excluded: 1 },
      exclusions: { "too-few-instances": 2 },
    });
    expect(await objects()).toEqual(new Map());
  });

  it("makes the same bytes again, in whatever order and place the files are", async () => {
    for (const instance of [1, 2]) await putInput(`${instance}.dcm`, slice(1, instance));
    await deid(...runArguments());
    const first = await objects();
    const again = join(folder.path, "again", "x");
    await mkdir(again, { recursive: true });
    await writeFile(join(again, "1.dcm"), await slice(1, 2));
    await writeFile(join(again, "2.dcm"), await slice(1, 1));
    const result = await deid("run", "again", "out", "--profile", "research", "--key-file", keyFile);
    expect(result.exitCode).toBe(0);
    expect(await objects()).toEqual(first);
    expect(first.size).toBe(2);
  });

  it("uses a lookup table", async () => {
    await putInput("1.dcm", slice(1, 1));
    await writeFile(
      join(folder.path, "table.csv"),
      "kind,original,replacement,project\npatient,MRN4455667,P-17,lung\n",
    );
    const result = await deid(...runArguments("--project", "lung", "--lookup", "table.csv"));
    expect(result.exitCode).toBe(0);
    expect(await readdir(join(folder.path, "out", "lung"))).toEqual(["P-17"]);
  });

  it.each([
    ["a folder that is not there", ["run", "nowhere", "out"], 1, "FILE_UNREADABLE"],
    ["a folder without files", ["run", "empty", "out"], 1, "NO_FILES_FOUND"],
    ["an output within its input", ["run", "in", "in/out"], 2, "DEID_FOLDERS_OVERLAP"],
    ["an input within its output", ["run", "in", "."], 2, "DEID_FOLDERS_OVERLAP"],
    ["a project that is no folder name", ["run", "in", "out", "--project", "../x"], 2, "USAGE_INVALID"],
    ["a lookup table that is not there", ["run", "in", "out", "--lookup", "no.csv"], 2, "LOOKUP_TABLE_UNREADABLE"],
    ["a profile nobody knows", ["run", "in", "out", "--profile", "strange"], 2, "PROFILE_UNKNOWN"],
    ["a key that is not there", ["run", "in", "out", "--key-file", "no.key"], 2, "KEY_FILE_MISSING"],
  ])("refuses %s", async (_name, args, exitCode, code) => {
    await putInput("1.dcm", slice(1, 1));
    await mkdir(join(folder.path, "empty"));
    const usual = ["--profile", "research", "--key-file", keyFile];
    const [verb = "", input = "", output = "", ...more] = args;
    const result = await deid(verb, input, output, ...usual, ...more, "--json");
    expect(result.exitCode).toBe(exitCode);
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code } });
  });

  it("decodes with the programs it is given, where a mask needs it", async () => {
    const image = ultrasoundImage(GREY_8);
    const decoded = await nativeFile(withPixels(image, Buffer.alloc(96, 9), "OB"));
    await put(join(folder.path, "decoded"), decoded);
    const script = `#!/bin/sh\ncat > /dev/null; cat "${folder.path}/decoded"\n`;
    await writeFile(join(folder.path, "decode"), script, { mode: 0o700 });
    await putInput("a.dcm", encapsulatedFile(image, [Buffer.alloc(8), Buffer.alloc(8)], "1.2.840.10008.1.2.4.50"));
    const when = `{sop_class: ${SOP_CLASSES.us}, rows: 6, columns: 8}`;
    await writeFile(join(folder.path, "us.yaml"), `masks: [{name: us, when: ${when}, rectangles: [[0, 0, 8, 1]]}]\n`);
    const profile = "profile: us\nversion: 1\nbase: basic-2026c\npixels: {masks: [us.yaml]}\n";
    await writeFile(join(folder.path, "profile.yaml"), profile);
    const command = ["run", "in", "out", "--profile", "./profile.yaml", "--key-file", keyFile];
    expect(await deid(...command)).toMatchObject({ exitCode: 3 });
    expect(await deid(...command, "--codec", "JPEGBaseline8Bit=decode")).toMatchObject({ exitCode: 0 });
    expect((await objects()).size).toBe(1);
    expect(await deid(...command, "--codec", "decode")).toMatchObject({ exitCode: 2 });
  });
});

describe("deid preview", () => {
  it("shows what happens to each element, and no value", async () => {
    const nested = sequenceElement(tagOf(0x52009230), [
      new Map([[tagOf(0x00100010), text(0x00100010, "Brandybuck^Nested")]]),
    ]);
    const secret = element(tagOf(0x00291001), "LO", Buffer.from("Brandybuck"));
    await putInput("1.dcm", part10Bytes(ctImage([nested, secret])));
    const result = await deid("preview", "in/1.dcm", "--profile", "research", "--json");
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
    const document: { outcome: string; elements: { path: string; action: string }[] } = JSON.parse(result.stdout);
    expect(document.outcome).toBe("deidentified");
    const of = (path: string) => document.elements.find((one) => one.path === path);
    expect(of("(0010,0010)")).toEqual({
      path: "(0010,0010)",
      keyword: "PatientName",
      vr: "PN",
      action: "replaced",
      before: { class: "name", length: 19 },
      after: { class: "name", length: 16 },
    });
    expect(of("(0010,0030)")).toMatchObject({ action: "emptied", after: { class: "date", length: 0 } });
    expect(of("(0018,0060)")).toMatchObject({ action: "kept", before: { class: "number" } });
    expect(of("(0018,0060)")).not.toHaveProperty("before.length");
    expect(of("(0008,0080)")).toMatchObject({ action: "removed" });
    expect(of("(0012,0062)")).toMatchObject({ action: "added" });
    expect(of("(0029,1001)")).toMatchObject({ action: "removed", keyword: "" });
    expect(of("(5200,9230)[0].(0010,0010)")).toBeDefined();
    const asText = await deid("preview", "in/1.dcm", "--profile", "research");
    for (const token of TOKENS) expect(result.stdout + asText.stdout).not.toContain(token);
    expect(asText.stdout).toMatch(/\(0010,0010\) +PatientName +PN +replaced +name 19 +name 16/);
  });

  it("tells pixels that stay from pixels that do not", async () => {
    // 2 MB of pixels with bytes hidden behind them: cut, so that they are not what they were.
    const rows = Uint8Array.of(0x00, 0x04);
    const large = (hidden: number) =>
      ctImage([
        element(tagOf(0x00280010), "US", rows),
        element(tagOf(0x00280011), "US", rows),
        element(tagOf(0x7fe00010), "OW", new Uint8Array(2 * 1024 * 1024 + hidden).fill(7)),
      ]);
    await putInput("kept.dcm", part10Bytes(large(0)));
    await putInput("cut.dcm", part10Bytes(large(64)));
    const pixelsOf = async (file: string) => {
      const { stdout } = await deid("preview", file, "--profile", "research", "--json");
      const { elements }: { elements: { keyword: string; action: string }[] } = JSON.parse(stdout);
      return elements.find(({ keyword }) => keyword === "PixelData")?.action;
    };
    expect(await pixelsOf("in/kept.dcm")).toBe("kept");
    expect(await pixelsOf("in/cut.dcm")).toBe("replaced");
  });

  it("says why an object would not leave", async () => {
    await putInput("1.dcm", part10Bytes(ctImage([text(0x00080016, SOP_CLASSES.us)])));
    const result = await deid("preview", "in/1.dcm", "--profile", "research");
    expect(result).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("rejected: SOP_CLASS_NOT_ALLOWED") });
    await putInput("notes.txt", Buffer.from("no object"));
    const notes = await deid("preview", "in/notes.txt", "--profile", "research", "--json");
    expect(notes.exitCode).toBe(1);
    expect(JSON.parse(notes.stdout)).toMatchObject({ outcome: "rejected", code: "INSTANCE_NOT_PARSABLE" });
    const missing = await deid("preview", "in/2.dcm", "--profile", "research", "--json");
    expect(missing.exitCode).toBe(1);
    expect(JSON.parse(missing.stdout)).toMatchObject({ error: { code: "FILE_UNREADABLE" } });
  });
});

describe("deid verify", () => {
  const verify = (output: string, ...more: readonly string[]) =>
    deid("verify", "in/1.dcm", output, "--profile", "research", "--key-file", keyFile, "--json", ...more);

  async function pair(): Promise<string> {
    await putInput("1.dcm", slice(1, 1));
    await deid(...runArguments());
    const name = (await outputs()).find((file) => file.endsWith(".dcm")) ?? "";
    return join(folder.path, "out", name);
  }

  it("passes what was made of the original", async () => {
    const result = await verify(await pair());
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
    expect(JSON.parse(result.stdout)).toMatchObject({ ok: true });
  });

  it("fails with the code and the tag, never the value, when something was changed", async () => {
    const output = await pair();
    const bytes = await readFile(output);
    const at = bytes.indexOf("AXIAL");
    bytes.write("BRAND", at, "latin1");
    await writeFile(output, bytes);
    const result = await verify(output);
    expect(result.exitCode).toBe(1);
    expect(JSON.parse(result.stdout)).toMatchObject({ ok: false, reason: expect.stringContaining("(0008,0008)") });
    expect(result.stdout).not.toContain("BRAND");
  });

  it("fails for another key, another original and the original itself", async () => {
    const output = await pair();
    const otherKey = join(folder.path, "other.key");
    await writeFile(otherKey, `${"77".repeat(32)}\n`, { mode: 0o600 });
    expect((await verify(output, "--key-file", otherKey)).exitCode).toBe(1);
    expect((await verify("in/1.dcm")).exitCode).toBe(1);
    await putInput("1.dcm", slice(2, 1));
    expect((await verify(output)).exitCode).toBe(1);
    expect((await verify("nowhere.dcm")).exitCode).toBe(1);
  });
});

describe("PIXL's secrets", () => {
  const secrets = [
    "--hash-key-file",
    "hash.key",
    "--project-salt-file",
    "project.salt",
    "--local-salt-file",
    "local.salt",
  ];
  beforeEach(async () => {
    for (const [name, value] of [
      ["hash.key", "test-key"],
      ["project.salt", "a161577b49a9235a"],
      ["local.salt", "pixl_salt"],
    ])
      await writeFile(join(folder.path, name ?? ""), `${value}\n`, { mode: 0o600 });
    await putInput("1.dcm", slice(1, 1, [text(0x00100020, "test")]));
  });

  it("make the patient's pseudonym as PIXL does, and verify it", async () => {
    expect(await deid(...runArguments(...secrets))).toMatchObject({ exitCode: 0, stderr: "" });
    const name = (await outputs()).find((file) => file.endsWith(".dcm")) ?? "";
    expect(name.split("/")[1]).toBe("cc8ab6f3e63235b45f3d00cbc4873efac59bf15cec4bdffd461882d57dfc010f");
    const pair = ["in/1.dcm", join("out", name), "--profile", "research", "--key-file", keyFile];
    expect(await deid("verify", ...pair, ...secrets)).toMatchObject({ exitCode: 0 });
    expect(await deid("verify", ...pair)).toMatchObject({ exitCode: 1 });
  });

  it("are three or none", async () => {
    expect(await deid(...runArguments(...secrets.slice(2)))).toMatchObject({ exitCode: 2 });
  });
});
