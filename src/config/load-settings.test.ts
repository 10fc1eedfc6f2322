import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { errorRegistry } from "../errors/registry.ts";
import { checkSettings, loadSettings, type SettingsSource } from "./load-settings.ts";
import { SettingsError } from "./problems.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "radferry-settings-"));
});
afterEach(() => rm(folder, { recursive: true }));

const GOOD = `
archives:
  - { name: vna, kind: dimse, address: "VNA@10.0.0.5:104" }
destinations:
  - { name: store, kind: folder, path: out }
projects:
  - { name: lung, archives: [vna], destinations: [store], profile: research, keyFile: keys/lung.key }
`;

async function sourceOf(text: string | undefined, more: Partial<SettingsSource> = {}): Promise<SettingsSource> {
  if (text !== undefined) await writeFile(join(folder, "radferry.yaml"), text);
  return { environment: {}, cwd: folder, ...more };
}

async function problemsOf(text: string, more: Partial<SettingsSource> = {}): Promise<readonly string[]> {
  const { problems } = await checkSettings(await sourceOf(text, more));
  return problems.map(({ path, code }) => `${path} ${code}`);
}

async function writeKey(name: string, digit = "0", mode = 0o600): Promise<void> {
  await writeFile(join(folder, name), `${digit.repeat(64)}\n`, { mode });
  await chmod(join(folder, name), mode);
}

describe("loadSettings", () => {
  it("fills in the defaults", async () => {
    const { settings, file } = await loadSettings(await sourceOf(""));
    expect(file).toBe(join(folder, "radferry.yaml"));
    expect(settings).toEqual({
      home: "/var/lib/radferry",
      store: { kind: "sqlite" },
      node: { roles: ["receiver", "worker", "http"], sharedAeTitle: false },
      dicom: {
        aeTitle: "RADFERRY",
        host: "127.0.0.1",
        port: 11_112,
        maximumPduLength: 131_072,
        rules: { maximumAssociations: 100, acceptUnknownSopClasses: true },
        users: [],
      },
      http: { host: "127.0.0.1" },
      compat: {},
      access: { commandLineRole: "admin" },
      retry: { attempts: 60, firstDelaySeconds: 5, maximumDelaySeconds: 900 },
      staging: { path: "/var/lib/radferry/staging", reserveGigabytes: 20, keepDays: 3, shred: false },
      observe: {},
      archives: [],
      codecs: [],
      notifications: [],
      destinations: [],
      projects: [],
    });
  });

  it("parses addresses, makes paths absolute from the file's folder and fills in what a project leaves out", async () => {
    const { settings } = await loadSettings(await sourceOf(GOOD));
    expect(settings.archives).toEqual([
      {
        name: "vna",
        kind: "dimse",
        address: { aeTitle: "VNA", host: "10.0.0.5", port: 104 },
        retrieve: "move",
        availability: { associations: 4 },
      },
    ]);
    expect(settings.destinations).toEqual([
      { name: "store", kind: "folder", path: join(folder, "out"), layout: "files" },
    ]);
    expect(settings.projects).toEqual([
      {
        name: "lung",
        archives: ["vna"],
        destinations: ["store"],
        profile: "research",
        keyFile: join(folder, "keys/lung.key"),
        partial: "hold",
        maximumStudiesPerRequest: 5,
        accessionNumbersUnique: true,
        pseudonyms: { mode: "hmac" },
        optOut: [],
        filters: {},
      },
    ]);
  });

  it("puts staging below home unless told otherwise, and takes groups with nothing in them as left out", async () => {
    const { settings } = await loadSettings(await sourceOf("home: data\narchives:\nstaging:\n"));
    expect(settings).toMatchObject({
      home: join(folder, "data"),
      staging: { path: join(folder, "data/staging") },
      archives: [],
    });
  });

  it("lets the environment win over the file, and flags over both", async () => {
    const { settings } = await loadSettings(
      await sourceOf(`dicom: { port: 1, aeTitle: FILE, host: 10.0.0.1 }\n${GOOD}`, {
        environment: {
          RADFERRY__DICOM__PORT: "2",
          RADFERRY__DICOM__AE_TITLE: "0042",
          RADFERRY__ARCHIVES__0__ADDRESS: "PACS@h:1",
          RADFERRY__ARCHIVES__1__NAME: "second",
          RADFERRY__ARCHIVES__1__KIND: "dimse",
          RADFERRY__archives__1__address: "B@h:2",
          RADFERRY__PROJECTS__0__KEYFILE: "other.key",
          RADFERRY__PROJECTS__0__ACCESSION_NUMBERS_UNIQUE: "false",
          RADFERRY__PROJECTS__0__FILTERS__MODALITIES__0: "CT",
          RADFERRY_OTHER: "x",
        },
        flags: { "dicom.port": 3, "archives[1].retrieve": "get" },
      }),
    );
    expect(settings.dicom).toMatchObject({ aeTitle: "0042", host: "10.0.0.1", port: 3 });
    expect(settings.archives).toMatchObject([
      { name: "vna", address: { aeTitle: "PACS" } },
      { name: "second", address: { aeTitle: "B" }, retrieve: "get" },
    ]);
    expect(settings.projects[0]).toMatchObject({
      keyFile: join(folder, "other.key"),
      accessionNumbersUnique: false,
      filters: { modalities: ["CT"] },
    });
  });

  it("finds the file by name, then by RADFERRY_CONFIG, then in the working folder", async () => {
    const environment = { RADFERRY_CONFIG: "b.yaml" };
    for (const name of ["a", "b", "radferry"]) await writeFile(join(folder, `${name}.yaml`), `home: /${name}\n`);
    const homeOf = async (source: Partial<SettingsSource>) =>
      (await loadSettings({ environment: {}, cwd: folder, ...source })).settings.home;
    expect(await homeOf({ file: "a.yaml", environment })).toBe("/a");
    expect(await homeOf({ environment })).toBe("/b");
    expect(await homeOf({})).toBe("/radferry");
  });

  it("needs no file when the environment has settings", async () => {
    const { settings, file } = await loadSettings(
      await sourceOf(undefined, { environment: { RADFERRY__HOME: "data" } }),
    );
    expect({ home: settings.home, file }).toEqual({ home: join(folder, "data"), file: undefined });
  });

  it.each<[string, string | undefined, Partial<SettingsSource>, object]>([
    ["there is none", undefined, {}, { code: "SETTINGS_FILE_MISSING" }],
    ["the named one is not there", "", { file: "x.yaml" }, { code: "SETTINGS_FILE_MISSING" }],
    ["it is no YAML", "home: /x\nhttp: {port: [\n", {}, { code: "SETTINGS_FILE_MALFORMED", details: { line: 3 } }],
    [
      "a key is there twice",
      "home: /x\nhome: /y\n",
      {},
      { code: "SETTINGS_FILE_MALFORMED", details: { line: 2, column: 1 } },
    ],
    ["a value is wrong", "home: [1]\n", {}, { code: "SETTINGS_INVALID", details: { problems: 1 } }],
    ["it is a list", "- 1\n", {}, { code: "SETTINGS_INVALID" }],
  ])("throws one error with every problem: %s", async (_, text, more, error) => {
    const thrown: unknown = await loadSettings(await sourceOf(text, more)).catch((caught: unknown) => caught);
    expect(thrown).toBeInstanceOf(SettingsError);
    expect(thrown).toMatchObject(error);
    expect((thrown as SettingsError).toJSON().problems).not.toEqual([]);
  });
});

describe("checkSettings", () => {
  it("finds nothing wrong with good settings", async () => {
    await writeKey("lung.key");
    expect(await checkSettings(await sourceOf(GOOD.replace("keys/", "")))).toEqual({ ok: true, problems: [] });
  });

  it.each([
    ["colour: red", "colour SETTING_UNKNOWN"],
    ["dicom: { aetitle: X }", "dicom.aetitle SETTING_UNKNOWN"],
    ["home: 5", "home SETTING_INVALID"],
    ["dicom: { aeTitle: SEVENTEEN-LETTERS }", "dicom.aeTitle SETTING_INVALID"],
    ['dicom: { aeTitle: "A\\\\B" }', "dicom.aeTitle SETTING_INVALID"],
    ['dicom: { aeTitle: "A\\eB" }', "dicom.aeTitle SETTING_INVALID"],
    ["dicom: { host: '11112' }", "dicom.host SETTING_INVALID"],
    ["dicom: { host: '0.0.0.0:11112' }", "dicom.host SETTING_INVALID"],
    ["dicom: { host: ':11112' }", "dicom.host SETTING_INVALID"],
    ["dicom: { port: 65536 }", "dicom.port SETTING_INVALID"],
    ["http: { port: '80' }", "http.port SETTING_INVALID"],
    ["retry: { attempts: 0 }", "retry.attempts SETTING_INVALID"],
    ["retry: { firstDelaySeconds: 10, maximumDelaySeconds: 5 }", "retry.maximumDelaySeconds SETTING_INVALID"],
    ["staging: { keepDays: -1 }", "staging.keepDays SETTING_INVALID"],
    ["store: { kind: postgres }", "store.urlFile SETTING_MISSING"],
    ["store: { kind: postgres, urlFile: x, connections: 1 }", "store.connections SETTING_INVALID"],
    ["store: { kind: paper }", "store.kind SETTING_INVALID"],
    ["archives: {}", "archives SETTING_INVALID"],
    ["archives: [{ name: a, address: 'A@h:1' }]", "archives[0].kind SETTING_MISSING"],
    ["archives: [{ name: a, kind: dimse }]", "archives[0].address SETTING_MISSING"],
    ["archives: [{ name: a, kind: dimse, address: 'A@h' }]", "archives[0].address SETTING_INVALID"],
    ["archives: [{ name: 'a/b', kind: dimse, address: 'A@h:1' }]", "archives[0].name SETTING_INVALID"],
    [
      "archives: [{ name: a, kind: xnat-dqr, url: 'https://h/x', receiver: XNAT }]",
      "archives[0].receiver SETTING_INVALID",
    ],
    ["archives: [{ name: a, kind: dicomweb, url: 'ftp://h/x' }]", "archives[0].url SETTING_INVALID"],
    ["archives: [{ name: a, kind: dicomweb, url: 'https://sam:sesame@h/x' }]", "archives[0].url SETTING_INVALID"],
    ["destinations: [{ name: d, kind: dicomweb, url: 'https://sam@h/x' }]", "destinations[0].url SETTING_INVALID"],
    [
      "archives: [{ name: a, kind: rad69, url: 'https://h', repositoryUniqueId: 1.2.3, search: b }]",
      "archives[0].search SETTING_REFERENCE_UNKNOWN",
    ],
    [
      "destinations: [{ name: d, kind: xnat, url: 'https://h', username: u, passwordFile: p }]",
      "destinations[0].passwordFile SECRET_FILE_UNREADABLE",
    ],
    [
      "destinations: [{ name: d, kind: dimse, address: 'A@h:1', confirm: hope }]",
      "destinations[0].confirm SETTING_INVALID",
    ],
    ["destinations: [{ name: d, kind: folder, path: /var/lib }]", "destinations[0].path SETTING_INVALID"],
    [
      "destinations: [{ name: d, kind: folder, path: /a }, { name: e, kind: folder, path: /a/b/.. }]",
      "destinations[1].path SETTING_DUPLICATE",
    ],
    ["dicom: { port: 0 }\narchives: [{ name: a, kind: dimse, address: 'A@h:1' }]", "dicom.port SETTING_INVALID"],
  ])("%s: %s", async (text, expected) => {
    expect((await problemsOf(text)).join(" ")).toBe(expected);
  });

  it.each([
    ['["Mon-Fri 20:00-08:60"]', "archives[0].availability.windows[0] SETTING_INVALID"],
    ['["Mo-Fr 20:00-08:00"]', "archives[0].availability.windows[0] SETTING_INVALID"],
    ['["Sat-Sun 24:00-24:00"]', "archives[0].availability.windows[0] SETTING_INVALID"],
  ])("windows %s: %s", async (windows, expected) => {
    const text = `archives: [{ name: a, kind: dimse, address: "A@h:1", availability: { windows: ${windows} } }]`;
    expect(await problemsOf(text)).toContain(expected);
  });

  it("lists every problem at once, whatever its kind, each with its line", async () => {
    await writeKey("open.key", "1", 0o644);
    await writeKey("same.key");
    await writeKey("also-same.key");
    await writeFile(join(folder, "short.key"), "00\n", { mode: 0o600 });
    const project = (name: string, more: string) =>
      `  - { name: ${name}, archives: [vna, gone, vna], destinations: [none], profile: strange, ${more} }\n`;
    const text =
      "colour: red\narchives:\n" +
      '  - { name: vna, kind: dimse, address: secret-address, retrieve: push }\n  - { name: vna, kind: pigeon, url: "https://h" }\n' +
      "projects:\n" +
      project("a", "keyFile: open.key, optOut: [none.csv], partial: maybe") +
      project(
        "b",
        "keyFile: none.key, pseudonyms: { mode: pixl, hashKeyFile: x, projectSaltFile: x, localSaltFile: x }",
      ) +
      project("c", "keyFile: same.key") +
      project("a", "keyFile: also-same.key") +
      project("e", "keyFile: ./same.key") +
      project("f", "keyFile: short.key") +
      project("g", "filters: { modalities: [ct] }");
    const { ok, problems } = await checkSettings(await sourceOf(text));
    expect(ok).toBe(false);
    const listed = problems.map(({ path, code, line }) => `${line} ${path} ${code}`);
    expect(listed).toEqual(
      expect.arrayContaining([
        "1 colour SETTING_UNKNOWN",
        "3 archives[0].address SETTING_INVALID",
        "3 archives[0].retrieve SETTING_INVALID",
        "4 archives[1].name SETTING_DUPLICATE",
        "4 archives[1].kind SETTING_INVALID",
        "6 projects[0].archives[1] SETTING_REFERENCE_UNKNOWN",
        "6 projects[0].archives[2] SETTING_DUPLICATE",
        "6 projects[0].destinations[0] SETTING_REFERENCE_UNKNOWN",
        "6 projects[0].profile PROFILE_UNKNOWN",
        "6 projects[0].keyFile KEY_FILE_READABLE_BY_OTHERS",
        "6 projects[0].optOut[0] OPT_OUT_UNREADABLE",
        "6 projects[0].partial SETTING_INVALID",
        "7 projects[1].keyFile KEY_FILE_MISSING",
        "7 projects[1].pseudonyms.hashKeyFile SECRET_FILE_UNREADABLE",
        "9 projects[3].name SETTING_DUPLICATE",
        "9 projects[3].keyFile SETTING_DUPLICATE",
        "10 projects[4].keyFile SETTING_DUPLICATE",
        "11 projects[5].keyFile KEY_FILE_MALFORMED",
        "12 projects[6].keyFile SETTING_MISSING",
        "12 projects[6].filters.modalities[0] SETTING_INVALID",
      ]),
    );
    expect(new Set(listed).size).toBe(listed.length);
    expect(JSON.stringify(problems)).not.toContain("secret-address");
    for (const { code, message, remedy } of problems) {
      expect(errorRegistry).toHaveProperty(code);
      expect(message).toMatch(/^[A-Z].*\.$/);
      expect(remedy).not.toBe("");
    }
  });

  it("reads the files that pseudonyms are made with, and lets no two projects share PIXL's", async () => {
    const secret = (name: string, text: string) => writeFile(join(folder, name), text, { mode: 0o600 });
    await Promise.all(["1", "2", "3", "4"].map((name) => secret(`${name}.key`, `${name.repeat(64)}\n`)));
    await Promise.all([secret("hash", "test-key"), secret("salt", "a161577b49a9235a"), secret("local", "")]);
    await Promise.all([
      secret("long", "k".repeat(65)),
      secret("good.csv", "kind,original,replacement\npatient,a,P1\n"),
    ]);
    await secret("bad.csv", "kind,original,replacement\npatient,a,P1\npatient,hunter2,P^2\n");
    const project = (key: number, pseudonyms: string) =>
      `  - { name: p${key}, archives: [vna], destinations: [store], profile: research, keyFile: ${key}.key, pseudonyms: { ${pseudonyms} } }\n`;
    const pixl = "mode: pixl, hashKeyFile: hash, projectSaltFile: salt, localSaltFile: local";
    const text =
      "archives:\n  - { name: vna, kind: dimse, address: A@h:104 }\n" +
      "destinations:\n  - { name: store, kind: folder, path: out }\nprojects:\n" +
      project(1, `${pixl}, lookupFile: good.csv`) +
      project(2, pixl) +
      project(3, "mode: pixl, hashKeyFile: long, projectSaltFile: salt, localSaltFile: local") +
      project(4, "lookupFile: bad.csv");
    const { problems } = await checkSettings(await sourceOf(text));
    expect(problems.map(({ path, code }) => `${path} ${code}`)).toEqual([
      "projects[1].pseudonyms.projectSaltFile SETTING_DUPLICATE",
      "projects[2].pseudonyms.hashKeyFile PIXL_SECRET_MALFORMED",
      "projects[3].pseudonyms.lookupFile LOOKUP_TABLE_INVALID",
    ]);
    expect(problems[2]?.message).toBe("Row 2 is not right: replacement-invalid.");
    expect(JSON.stringify(problems)).not.toContain("hunter2");
  });

  it("tells everything that is wrong with a profile's file, and what its pseudonyms need", async () => {
    const profile = "profile: p\nversion: 1\nbase: basic-2026c\n";
    await writeFile(
      join(folder, "bad.yaml"),
      `${profile}colour: red\nrules:\n  - { tag: NoSuchTag, action: remove }\n`,
    );
    await writeFile(join(folder, "needy.yaml"), `${profile}pseudonyms: { lookup: required }\n`);
    await Promise.all(
      ["1", "2", "3"].map((n) => writeFile(join(folder, `${n}.key`), `${n.repeat(64)}\n`, { mode: 0o600 })),
    );
    const project = (key: number, name: string) =>
      `  - { name: p${key}, archives: [vna], destinations: [store], profile: ${name}, keyFile: ${key}.key }\n`;
    const text =
      "archives:\n  - { name: vna, kind: dimse, address: A@h:104 }\n" +
      "destinations:\n  - { name: store, kind: folder, path: out }\nprojects:\n" +
      project(1, "./bad.yaml") +
      project(2, "needy.yaml") +
      project(3, "none.yaml");
    const { problems } = await checkSettings(await sourceOf(text));
    const listed = problems.map(({ path, code, message }) => `${path} ${code} ${/line \d+/.exec(message)?.[0] ?? ""}`);
    expect(listed).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^projects\[0\]\.profile \w+ line 4$/),
        "projects[0].profile PROFILE_TAG_UNKNOWN line 6",
        "projects[1].profile PSEUDONYM_SOURCE_MISSING ",
        "projects[2].profile PROFILE_FILE_UNREADABLE ",
      ]),
    );
    expect(listed).toHaveLength(4);
  });

  it("repeats no value, wherever a secret was put by mistake", async () => {
    const secret = "hunter2";
    const { problems } = await checkSettings(
      await sourceOf(
        `password: ${secret}\nhome: [${secret}]\narchives: ${secret}\nstore: { kind: ${secret} }\ndicom: { port: ${secret} }\n`,
        {
          environment: { RADFERRY__HTTP__PORT: secret, RADFERRY__PASSWORD: secret },
          flags: { "retry.attempts": secret },
        },
      ),
    );
    expect(problems).toHaveLength(8);
    expect(JSON.stringify(problems)).not.toContain(secret);
  });

  it("says which variable or flag set a wrong value", async () => {
    const { problems } = await checkSettings(
      await sourceOf("dicom: { port: 1 }\n", {
        environment: {
          RADFERRY__DICOM__PORT: "many",
          RADFERRY__NOTHING: "1",
          RADFERRY__ARCHIVES__3__NAME: "x",
          RADFERRY__HOME__X: "1",
        },
        flags: { "http.port": "none" },
      }),
    );
    expect(problems.map(({ source, code, line }) => ({ source, code, line }))).toEqual([
      { source: "RADFERRY__DICOM__PORT", code: "SETTING_INVALID" },
      { source: "--http.port", code: "SETTING_INVALID" },
      { source: "RADFERRY__ARCHIVES__3__NAME", code: "SETTING_INVALID" },
      { source: "RADFERRY__HOME__X", code: "SETTING_UNKNOWN" },
      { source: "RADFERRY__NOTHING", code: "SETTING_UNKNOWN" },
    ]);
  });

  it("tells how a name is spelt, or which names there are", async () => {
    const { problems } = await checkSettings(await sourceOf("http: { Host: X, colour: y }\n"));
    expect(problems.map(({ remedy }) => remedy)).toEqual(["Write it host.", "Known here: host, port, tls, oidc."]);
  });
});
