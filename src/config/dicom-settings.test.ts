import { chmod, cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificate } from "../../test/peers/certificates.ts";
import { requirePeer } from "../../test/peers/require-peer.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { systemClock } from "../units/clock.ts";
import { checkSettings, loadSettings, type SettingsSource } from "./load-settings.ts";

const files = new AsyncDisposableStack();
afterAll(() => files.disposeAsync());

let folder = "";
beforeAll(async () => {
  folder = files.use(await temporaryFolder()).path;
});

async function sourceOf(text: string, environment: SettingsSource["environment"] = {}): Promise<SettingsSource> {
  const cwd = join(folder, "site");
  await mkdir(cwd, { recursive: true });
  await writeFile(join(cwd, "radferry.yaml"), text);
  return { environment, cwd };
}

async function problemsOf(text: string, nowMs = systemClock.nowMs()): Promise<readonly string[]> {
  const { problems } = await checkSettings(await sourceOf(text), { nowMs: () => nowMs });
  return problems.map(({ path, code }) => `${path} ${code}`);
}

/** Of the settings alone: the files they name are not there. */
async function problemsBesideFiles(text: string): Promise<readonly string[]> {
  return (await problemsOf(text)).filter((problem) => !problem.endsWith("FILE_UNREADABLE"));
}

const archiveWith = (more: string): string => `archives: [{ name: a, kind: dimse, address: 'A@h:1', ${more} }]`;

describe("settings of the DICOM listener", () => {
  it("are the rules and the TLS of the listener, with UIDs for keywords and absolute paths", async () => {
    const { settings } = await loadSettings(
      await sourceOf(`
dicom:
  tls: { certificateFile: a.pem, keyFile: a.key, clientAuthoritiesFile: /b/ca.pem, only: true }
  maximumAssociations: 7
  maximumPduLength: 16384
  acceptUnknownSopClasses: false
  transferSyntaxes: [JPEG2000Lossless, 1.2.840.10008.1.2]
  peers:
    - { callingAeTitles: [PACS], addresses: [10.1.2.3, "fd00::/8"], sopClasses: [MRImageStorage, 1.2.3] }
    - { calledAeTitles: [RADFERRY, OLDNAME], transferSyntaxes: [ExplicitVRLittleEndian] }
  users: [{ username: vna, passwordFile: vna-password }]
`),
    );
    expect(settings.dicom).toMatchObject({
      maximumPduLength: 16_384,
      tls: {
        files: {
          certificateFile: join(folder, "site/a.pem"),
          keyFile: join(folder, "site/a.key"),
          clientAuthoritiesFile: "/b/ca.pem",
        },
        port: 2_762,
        only: true,
      },
      users: [{ username: "vna", passwordFile: join(folder, "site/vna-password") }],
      rules: {
        maximumAssociations: 7,
        acceptUnknownSopClasses: false,
        transferSyntaxUids: ["1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2"],
        peers: [
          {
            callingAeTitles: ["PACS"],
            addresses: ["10.1.2.3", "fd00::/8"],
            sopClassUids: ["1.2.840.10008.5.1.4.1.1.4", "1.2.3"],
          },
          { calledAeTitles: ["RADFERRY", "OLDNAME"], transferSyntaxUids: ["1.2.840.10008.1.2.1"] },
        ],
      },
    });
  });

  it.each([
    ["tls: { keyFile: k }", "dicom.tls.certificateFile SETTING_MISSING"],
    ["tls: true", "dicom.tls SETTING_INVALID"],
    ["tls:", "dicom.tls SETTING_MISSING"],
    ["peers:", "dicom.peers SETTING_MISSING"],
    ["users:", "dicom.users SETTING_MISSING"],
    ["users: []", "dicom.users SETTING_INVALID"],
    ["users: [{ username: u }]", "dicom.users[0].passwordFile SETTING_MISSING"],
    ["peers: []", "dicom.peers SETTING_INVALID"],
    ["peers: [{ callingAeTitles: [] }]", "dicom.peers[0].callingAeTitles SETTING_INVALID"],
    ["peers: [{ callingAeTitles: [SEVENTEEN-LETTERS] }]", "dicom.peers[0].callingAeTitles[0] SETTING_INVALID"],
    ["peers: [{ addresses: [10.0.0.0/33] }]", "dicom.peers[0].addresses[0] SETTING_INVALID"],
    ["peers: [{ addresses: [10.0.0] }]", "dicom.peers[0].addresses[0] SETTING_INVALID"],
    ["peers: [{ addresses: ['fe80::1%eth0'] }]", "dicom.peers[0].addresses[0] SETTING_INVALID"],
    [
      "peers: [{ addresses: [10.0.0.5/32, '::1/128', 0.0.0.0/0] }, { addresses: [] }]",
      "dicom.peers[1].addresses SETTING_INVALID",
    ],
    ["peers: [{ addresses: ['::1/129'] }]", "dicom.peers[0].addresses[0] SETTING_INVALID"],
    ["peers: [{ addresses: [10.0.0.1/8/8] }]", "dicom.peers[0].addresses[0] SETTING_INVALID"],
    ["peers: [{ sopClasses: [CT] }]", "dicom.peers[0].sopClasses[0] SETTING_INVALID"],
    ["transferSyntaxes: [1.2.3]", "dicom.transferSyntaxes[0] SETTING_INVALID"],
    ["maximumAssociations: 0", "dicom.maximumAssociations SETTING_INVALID"],
    ["maximumPduLength: 4095", "dicom.maximumPduLength SETTING_INVALID"],
    ["acceptUnknownSopClasses: no", "dicom.acceptUnknownSopClasses SETTING_INVALID"],
  ])("%s: %s", async (setting, expected) => {
    expect(await problemsBesideFiles(`dicom:\n  ${setting}\n`)).toEqual([expected]);
  });

  it.each([
    ["another port than the plain listener's", "port: 2762", "port: 2762", "dicom.tls.port SETTING_INVALID"],
    ["the plain listener's port where that is not opened", "port: 2762", "port: 2762, only: true", undefined],
    ["a port that archives can know", "port: 1", "port: 0, only: true", "dicom.tls.port SETTING_INVALID"],
  ])("need %s", async (_, plain, tls, expected) => {
    const text = `dicom: { ${plain}, tls: { certificateFile: c, keyFile: k, ${tls} } }\n${archiveWith("retrieve: move")}`;
    expect(await problemsBesideFiles(text)).toEqual(expected === undefined ? [] : [expected]);
  });
});

describe("TLS from one gateway to another", () => {
  const listener = "dicom: { tls: { certificateFile: c, keyFile: k } }";

  it("names files of its own where they are others than the listener's", async () => {
    const text = `${listener}\nnode: { tls: { authoritiesFile: ca.pem, serverName: ferry } }`;
    const { settings } = await loadSettings(await sourceOf(text));
    expect(settings.node.tls).toMatchObject({ authoritiesFile: join(folder, "site/ca.pem"), serverName: "ferry" });
  });

  it.each([
    ["a listener that speaks it", "node: { tls: { serverName: ferry } }", "node.tls SETTING_INVALID"],
    [
      "a key for its certificate",
      `${listener}\nnode: { tls: { certificateFile: n } }`,
      "node.tls.keyFile SETTING_MISSING",
    ],
    ["something behind its name", `${listener}\nnode:\n  tls:\n`, "node.tls SETTING_MISSING"],
  ])("needs %s", async (_, text, expected) => {
    expect(await problemsBesideFiles(text)).toEqual([expected]);
  });
});

describe("security of archives and destinations", () => {
  it("is off, on with what the system trusts, or on with files", async () => {
    const text = `
archives:
  - { name: a, kind: dimse, address: "A@h:1" }
  - { name: b, kind: dimse, address: "B@h:1", tls: false }
  - { name: c, kind: dimse, address: "C@h:1", tls: true, user: { username: someone } }
destinations:
  - { name: d, kind: dimse, address: "D@h:1", tls: { authoritiesFile: ca.pem, serverName: pacs }, user: { username: u, passwordFile: p } }
`;
    const { settings } = await loadSettings(await sourceOf(text));
    expect(settings.archives).toMatchObject([{}, {}, { tls: {}, user: { username: "someone" } }]);
    for (const archive of settings.archives.slice(0, 2)) expect(archive).not.toHaveProperty("tls");
    expect(settings.destinations).toMatchObject([
      {
        tls: { authoritiesFile: join(folder, "site/ca.pem"), serverName: "pacs" },
        user: { username: "u", passwordFile: join(folder, "site/p") },
      },
    ]);
  });

  it("can be set by the environment", async () => {
    const environment = {
      RADFERRY__ARCHIVES__0__TLS__AUTHORITIES_FILE: "ca.pem",
      RADFERRY__ARCHIVES__1__NAME: "b",
      RADFERRY__ARCHIVES__1__KIND: "dimse",
      RADFERRY__ARCHIVES__1__ADDRESS: "B@h:1",
      RADFERRY__ARCHIVES__1__TLS: "true",
    };
    const { settings } = await loadSettings(await sourceOf(archiveWith("retrieve: get"), environment));
    expect(settings.archives).toMatchObject([{ tls: { authoritiesFile: join(folder, "site/ca.pem") } }, { tls: {} }]);
  });

  it.each([
    ["tls: { certificateFile: c }", "archives[0].tls.keyFile SETTING_MISSING"],
    ["tls: { keyFile: k }", "archives[0].tls.certificateFile SETTING_MISSING"],
    ["tls: { authoritiesFile: 5 }", "archives[0].tls.authoritiesFile SETTING_INVALID"],
    ["tls: { caFile: x }", "archives[0].tls.caFile SETTING_UNKNOWN"],
    ["tls: 5", "archives[0].tls SETTING_INVALID"],
    ["tls: ", "archives[0].tls SETTING_MISSING"],
    ["user: { passwordFile: p }", "archives[0].user.username SETTING_MISSING"],
    ["user: ", "archives[0].user SETTING_MISSING"],
  ])("%s: %s", async (setting, expected) => {
    expect(await problemsBesideFiles(archiveWith(setting))).toEqual([expected]);
  });
});

describe.skipIf(!requirePeer("openssl"))("files of certificates, keys and passwords", () => {
  beforeAll(async () => {
    const site = join(folder, "site");
    await mkdir(site, { recursive: true });
    await makeCertificate(site, "ours");
    const other = await makeCertificate(site, "other");
    await cp(other.keyFile, join(site, "open.key"));
    await chmod(join(site, "open.key"), 0o640);
    await writeFile(join(site, "text.pem"), "no certificate\n", { mode: 0o600 });
    await writeFile(join(site, "password"), "secret\n", { mode: 0o600 });
    await writeFile(join(site, "lines"), "secret\nsecret\n", { mode: 0o600 });
    await writeFile(join(site, "public"), "secret\n", { mode: 0o644 });
  });

  const tls = (certificate: string, key: string, more = ""): string =>
    archiveWith(`tls: { certificateFile: ${certificate}, keyFile: ${key}${more} }`);
  const user = (file: string): string => archiveWith(`user: { username: u, passwordFile: ${file} }`);
  const YEAR_MS = 365 * 86_400_000;

  it.each<[string, string, string | undefined, number?]>([
    ["fit", tls("ours.crt", "ours.key", ", authoritiesFile: other.crt"), undefined],
    [
      "are for the listener too",
      "dicom: { tls: { certificateFile: ours.crt, keyFile: other.key } }",
      "dicom.tls.keyFile CERTIFICATE_KEY_MISMATCH",
    ],
    ["do not belong together", tls("ours.crt", "other.key"), "archives[0].tls.keyFile CERTIFICATE_KEY_MISMATCH"],
    ["are no certificate", tls("text.pem", "ours.key"), "archives[0].tls.certificateFile CERTIFICATE_FILE_MALFORMED"],
    ["are no key", tls("ours.crt", "text.pem"), "archives[0].tls.keyFile CERTIFICATE_KEY_MALFORMED"],
    ["others can read", tls("other.crt", "open.key"), "archives[0].tls.keyFile SECRET_FILE_READABLE_BY_OTHERS"],
    [
      "have expired",
      tls("ours.crt", "ours.key"),
      "archives[0].tls.certificateFile CERTIFICATE_EXPIRED",
      Date.now() + YEAR_MS,
    ],
    [
      "begin later",
      tls("ours.crt", "ours.key"),
      "archives[0].tls.certificateFile CERTIFICATE_NOT_YET_VALID",
      Date.now() - YEAR_MS,
    ],
    [
      "are not there",
      tls("ours.crt", "ours.key", ", authoritiesFile: none.pem"),
      "archives[0].tls.authoritiesFile CERTIFICATE_FILE_UNREADABLE",
    ],
    ["hold a password", user("password"), undefined],
    ["hold two lines", user("lines"), "archives[0].user.passwordFile PASSWORD_FILE_MALFORMED"],
    [
      "hold a password that others can read",
      user("public"),
      "archives[0].user.passwordFile SECRET_FILE_READABLE_BY_OTHERS",
    ],
  ])("that %s are found out", async (_, text, expected, nowMs) => {
    expect(await problemsOf(text, nowMs)).toEqual(expected === undefined ? [] : [expected]);
  });
});
