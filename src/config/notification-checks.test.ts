import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { stringify } from "yaml";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { checkSettings } from "./load-settings.ts";

const MAIL = { name: "mail", kind: "mail", host: "mail.example.org", from: "a@example.org", to: ["b@example.org"] };
const HOOK = { name: "hook", kind: "webhook", url: "https://example.org/hook", secretFile: "secret" };

async function problemsOf(...notifications: readonly Readonly<Record<string, unknown>>[]): Promise<readonly string[]> {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "radferry.yaml"), stringify({ notifications }));
  await writeFile(join(folder.path, "secret"), "a secret\n", { mode: 0o600 });
  await writeFile(join(folder.path, "bad.yaml"), "study-failed: { subject: a, text: '{{patient}}' }\nnone: {}\n");
  await writeFile(join(folder.path, "worse.yaml"), "a: [\n");
  const { problems } = await checkSettings({ environment: {}, cwd: folder.path });
  return problems.map(({ path, code }) => `${path.replace("notifications", "")} ${code}`);
}

it.each<[string, readonly Readonly<Record<string, unknown>>[], readonly string[]]>([
  ["what is needed", [MAIL, HOOK], []],
  ["two of a name", [MAIL, { ...HOOK, name: "mail" }], ["[1].name SETTING_DUPLICATE"]],
  ["an event that is none", [{ ...MAIL, events: ["study-lost"] }], ["[0].events[0] SETTING_INVALID"]],
  ["a project that is not there", [{ ...HOOK, projects: ["x"] }], ["[0].projects[0] SETTING_REFERENCE_UNKNOWN"]],
  ["a password that is nobody's", [{ ...MAIL, passwordFile: "secret" }], ["[0].passwordFile SETTING_INVALID"]],
  [
    "a password in the clear",
    [{ ...MAIL, tls: "none", username: "a", passwordFile: "secret" }],
    ["[0].tls SETTING_INVALID"],
  ],
  ["a webhook in the clear", [{ ...HOOK, url: "http://example.org" }], ["[0].url SETTING_INVALID"]],
  ["a webhook in the clear on this machine", [{ ...HOOK, url: "http://127.0.0.1:8080/hook" }], []],
  ["mail in the clear that needs no password", [{ ...MAIL, tls: "none" }], []],
  [
    "a password in the clear on this machine",
    [{ ...MAIL, host: "localhost", tls: "none", username: "a", passwordFile: "secret" }],
    [],
  ],
  ["a webhook without a secret", [{ ...HOOK, secretFile: undefined }], ["[0].secretFile SETTING_MISSING"]],
  ["a sender who is none", [{ ...MAIL, from: "a@b\nBcc: c@d" }], ["[0].from SETTING_INVALID"]],
  ["nobody to tell", [{ ...MAIL, to: [] }], ["[0].to SETTING_INVALID"]],
  [
    "files that are not there",
    [{ ...HOOK, secretFile: "x", authoritiesFile: "y", templatesFile: "z" }],
    [
      "[0].secretFile SECRET_FILE_UNREADABLE",
      "[0].authoritiesFile CERTIFICATE_FILE_UNREADABLE",
      "[0].templatesFile NOTIFICATION_TEMPLATES_UNREADABLE",
    ],
  ],
  [
    "templates with mistakes, each of them",
    [{ ...MAIL, templatesFile: "bad.yaml" }],
    ["[0].templatesFile NOTIFICATION_TEMPLATES_INVALID", "[0].templatesFile NOTIFICATION_TEMPLATES_INVALID"],
  ],
  [
    "templates that are no YAML",
    [{ ...MAIL, templatesFile: "worse.yaml" }],
    ["[0].templatesFile NOTIFICATION_TEMPLATES_INVALID"],
  ],
])("checks channels with %s", async (_, channels, expected) => {
  expect(await problemsOf(...channels)).toEqual(expected);
});
