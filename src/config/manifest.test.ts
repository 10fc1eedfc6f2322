import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { parseWindow } from "../archive/availability/window.ts";
import { checkSettings } from "./load-settings.ts";
import { manifest } from "./manifest.ts";
import { sampleSettings } from "./sample.ts";
import { settingsSchema } from "./schema-shape.ts";
import { settingsTable } from "./settings-table.ts";

/** The sample with all that stands in it as a comment taken in. */
function wholeSample(): string {
  return sampleSettings().replaceAll(/^( *)#(?=\S)/gm, "$1");
}

function pathsIn(value: unknown, path = ""): readonly string[] {
  if (Array.isArray(value)) {
    const items = value.flatMap((item: unknown) => (typeof item === "object" ? pathsIn(item, `${path}[]`) : [path]));
    return [...new Set(items)];
  }
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, child]) => pathsIn(child, path === "" ? key : `${path}.${key}`));
}

it("describes every setting", () => {
  expect(settingsTable().filter(({ description }) => description === "")).toEqual([]);
});

it("shows every setting of this version in the sample, and nothing else", () => {
  const supported = settingsTable().filter((row) => row.supported);
  expect(pathsIn(parse(wholeSample())).toSorted()).toEqual(supported.map(({ path }) => path).toSorted());
});

it("writes each description into the sample", () => {
  const sample = sampleSettings();
  for (const { description, supported } of settingsTable())
    if (supported) expect(sample).toContain(`# ${description}\n`);
});

async function problemsOf(text: string): Promise<readonly string[]> {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "radferry.yaml"), text);
  const { problems } = await checkSettings({ environment: {}, cwd: folder.path });
  return problems.map(({ path, code }) => `${path} ${code}`);
}

const KEY_OF_PROJECT = "projects[0].keyFile KEY_FILE_MISSING";

it("accepts its own sample, but for the key it names", async () => {
  expect(await problemsOf(sampleSettings())).toEqual([KEY_OF_PROJECT]);
});

it("accepts its own sample with all that is taken out of it", async () => {
  const tlsFiles = ["authoritiesFile", "certificateFile", "keyFile"];
  const unreadable = (group: string, names: readonly string[]) =>
    names.map((name) => `${group}.${name} ${name === "keyFile" ? "SECRET" : "CERTIFICATE"}_FILE_UNREADABLE`);
  expect((await problemsOf(wholeSample())).toSorted()).toEqual(
    [
      KEY_OF_PROJECT,
      "projects[0].linkageKeyFile KEY_FILE_MISSING",
      "projects[0].optOut[0] OPT_OUT_UNREADABLE",
      "projects[0].hook.command[0] HOOK_PROGRAM_UNUSABLE",
      ...unreadable("dicom.tls", ["clientAuthoritiesFile", "certificateFile", "keyFile"]),
      ...unreadable("node.tls", tlsFiles),
      ...unreadable("http.tls", ["certificateFile", "keyFile"]),
      "http.oidc.clientSecretFile SECRET_FILE_UNREADABLE",
      "http.oidc.authoritiesFile CERTIFICATE_FILE_UNREADABLE",
      ...unreadable("archives[0].tls", tlsFiles),
      ...unreadable("destinations[1].tls", tlsFiles),
      "compat.flip.environmentFile SECRET_FILE_UNREADABLE",
      "compat.pixl.environmentFile SECRET_FILE_UNREADABLE",
      "compat.scanhub.environmentFile SECRET_FILE_UNREADABLE",
      "dicom.users[0].passwordFile SECRET_FILE_UNREADABLE",
      "archives[0].user.passwordFile SECRET_FILE_UNREADABLE",
      ...["archives[1]", "destinations[2]"].flatMap((peer) => [
        ...["tokenFile", "passwordFile", "clientKeyFile"].map((name) => `${peer}.${name} SECRET_FILE_UNREADABLE`),
        ...["authoritiesFile", "clientCertificateFile"].map((name) => `${peer}.${name} CERTIFICATE_FILE_UNREADABLE`),
      ]),
      "notifications[0].authoritiesFile CERTIFICATE_FILE_UNREADABLE",
      "notifications[0].passwordFile SECRET_FILE_UNREADABLE",
      "notifications[0].templatesFile NOTIFICATION_TEMPLATES_UNREADABLE",
      "notifications[1].secretFile SECRET_FILE_UNREADABLE",
      "archives[3].passwordFile SECRET_FILE_UNREADABLE",
      "destinations[1].user.passwordFile SECRET_FILE_UNREADABLE",
      "destinations[3].passwordFile SECRET_FILE_UNREADABLE",
      "destinations[4].passwordFile SECRET_FILE_UNREADABLE",
      "destinations[4].authoritiesFile CERTIFICATE_FILE_UNREADABLE",
      ...["passwordFile", "privateKeyFile", "passphraseFile"].map(
        (name) => `destinations[5].${name} SECRET_FILE_UNREADABLE`,
      ),
      "destinations[6].secretAccessKeyFile SECRET_FILE_UNREADABLE",
      "staging.shared.secretAccessKeyFile SECRET_FILE_UNREADABLE",
      "staging.shared.authoritiesFile CERTIFICATE_FILE_UNREADABLE",
      "destinations[6].authoritiesFile CERTIFICATE_FILE_UNREADABLE",
      "projects[0].pseudonyms.hashKeyFile SECRET_FILE_UNREADABLE",
      "projects[0].pseudonyms.lookupFile LOOKUP_TABLE_UNREADABLE",
    ].toSorted(),
  );
});

it("has the defaults of stores that gateways share in the table", () => {
  const shared = settingsTable().filter(({ path }) => /^(?:store|staging\.shared)\./.test(path));
  expect(Object.fromEntries(shared.map((row) => [row.path, row.default]))).toEqual({
    "store.kind": "sqlite",
    "store.urlFile": "required",
    "store.replicaUrlFile": "",
    "store.authoritiesFile": "",
    "store.connections": "10",
    "store.statementTimeoutSeconds": "30",
    "staging.shared.kind": "required",
    "staging.shared.endpoint": "",
    "staging.shared.region": "us-east-1",
    "staging.shared.bucket": "required",
    "staging.shared.prefix": "outbox",
    "staging.shared.accessKeyId": "required",
    "staging.shared.secretAccessKeyFile": "required",
    "staging.shared.pathStyle": "",
    "staging.shared.authoritiesFile": "",
  });
});

it("has the same defaults in manifest, table and schema", () => {
  const defaults = manifest.parse({});
  expect(
    settingsTable()
      .filter(({ path }) => !path.includes("[]") && !/^(?:store|staging\.shared)\./.test(path))
      .map((row) => [row.path, row.default]),
  ).toEqual([
    ["home", defaults.home],
    ...[["node.name", ""] as const, ["node.roles", "[receiver,worker,http]"] as const],
    ...[["node.sharedAeTitle", "false"] as const, ["node.port", ""] as const, ["node.host", ""] as const],
    ...["authoritiesFile", "certificateFile", "keyFile", "serverName"].map((name) => [`node.tls.${name}`, ""]),
    ["dicom.aeTitle", defaults.dicom.aeTitle],
    ["dicom.host", defaults.dicom.host],
    ["dicom.port", String(defaults.dicom.port)],
    ["dicom.tls.certificateFile", "required"],
    ["dicom.tls.keyFile", "required"],
    ["dicom.tls.clientAuthoritiesFile", ""],
    ["dicom.tls.port", "2762"],
    ["dicom.tls.only", "false"],
    ["dicom.maximumAssociations", String(defaults.dicom.maximumAssociations)],
    ["dicom.maximumPduLength", String(defaults.dicom.maximumPduLength)],
    ["dicom.acceptUnknownSopClasses", String(defaults.dicom.acceptUnknownSopClasses)],
    ["dicom.transferSyntaxes", ""],
    ["http.host", defaults.http.host],
    ["http.port", ""],
    ["http.tls.certificateFile", "required"],
    ["http.tls.keyFile", "required"],
    ["http.oidc.name", "OpenID Connect"],
    ...["issuer", "clientId"].map((name) => [`http.oidc.${name}`, "required"]),
    ["http.oidc.clientSecretFile", ""],
    ["http.oidc.redirectBaseUrl", "required"],
    ["http.oidc.authoritiesFile", ""],
    ["http.oidc.scopes", "[openid,profile]"],
    ["http.oidc.nameClaim", "preferred_username"],
    ["http.oidc.claim", "groups"],
    ["http.oidc.leastRole", "none"],
    ["http.oidc.sessionHours", "12"],
    ["http.oidc.endWithIdToken", "true"],
    ["imagingSource.host", "127.0.0.1"],
    ["imagingSource.port", "required"],
    ["imagingSource.repositoryUniqueId", ""],
    ["imagingSource.profile", "ihe"],
    ["imagingSource.lenient", "false"],
    ["compat.flip.host", "0.0.0.0"],
    ["compat.flip.port", "8000"],
    ["compat.flip.environmentFile", ""],
    ["compat.pixl.host", "0.0.0.0"],
    ["compat.pixl.port", "8000"],
    ["compat.pixl.environmentFile", ""],
    ["compat.scanhub.host", "0.0.0.0"],
    ["compat.scanhub.port", "8000"],
    ["compat.scanhub.environmentFile", ""],
    ["access.commandLineRole", defaults.access.commandLineRole],
    ["retry.attempts", String(defaults.retry.attempts)],
    ["retry.firstDelaySeconds", String(defaults.retry.firstDelaySeconds)],
    ["retry.maximumDelaySeconds", String(defaults.retry.maximumDelaySeconds)],
    ["observe.traces.url", "required"],
    ["observe.traces.share", "1"],
    ["staging.path", ""],
    ["staging.reserveGigabytes", String(defaults.staging.reserveGigabytes)],
    ["staging.keepDays", String(defaults.staging.keepDays)],
    ["staging.shred", "false"],
    ...Object.entries({ "intake.quietSeconds": "120", "intake.longestSeconds": "7200", "intake.commitTo": "" }),
  ]);
  expect(settingsSchema()).toMatchObject({
    type: "object",
    additionalProperties: false,
    properties: { home: { default: defaults.home }, dicom: { properties: { port: { default: defaults.dicom.port } } } },
  });
});

it.each([
  ["Mon-Fri 20:00-08:00", { firstDay: 0, lastDay: 4, beginMinute: 1_200, endMinute: 480 }],
  ["Sun 00:00-24:00", { firstDay: 6, lastDay: 6, beginMinute: 0, endMinute: 1_440 }],
  ["Fri-Mon 08:00-09:30", { firstDay: 4, lastDay: 0, beginMinute: 480, endMinute: 570 }],
  ["Mon-Fri 8:00-9:00", undefined],
  ["Mon-Fri 25:00-26:00", undefined],
  ["Mon-Fri 08:00-08:00", undefined],
  ["weekdays", undefined],
])("reads the window %j", (text, window) => {
  expect(parseWindow(text)).toEqual(window);
});

it("refuses a codec that decodes nothing or is no program", async () => {
  expect(await problemsOf("codecs: [{transferSyntaxes: [], command: [decode]}]\n")).toEqual([
    "codecs[0].transferSyntaxes SETTING_INVALID",
  ]);
  expect(await problemsOf("codecs: [{transferSyntaxes: [JPEGBaseline8Bit], command: decode-jpeg}]\n")).toEqual([
    "codecs[0].command SETTING_INVALID",
  ]);
});
