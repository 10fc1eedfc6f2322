import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { stringify } from "yaml";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { checkSettings } from "./load-settings.ts";

const GOOD = { issuer: "https://login.example.org", clientId: "radferry", redirectBaseUrl: "http://127.0.0.1:8080" };

it.each<[string, Readonly<Record<string, unknown>>, readonly string[]]>([
  ["what is needed, in the clear on this machine", {}, []],
  [
    "nothing but the issuer",
    { clientId: undefined, redirectBaseUrl: undefined },
    [...["clientId", "redirectBaseUrl"].map((name) => `http.oidc.${name} SETTING_MISSING`)],
  ],
  ["an issuer in the clear elsewhere", { issuer: "http://login.example.org" }, ["http.oidc.issuer SETTING_INVALID"]],
  [
    "browsers in the clear",
    { redirectBaseUrl: "http://radferry.example.org" },
    ["http.oidc.redirectBaseUrl SETTING_INVALID"],
  ],
  ["no openid", { scopes: ["profile"] }, ["http.oidc.scopes SETTING_INVALID"]],
  ["a session of days", { sessionHours: 48 }, ["http.oidc.sessionHours SETTING_INVALID"]],
  ["admins by default", { leastRole: "admin" }, ["http.oidc.leastRole SETTING_INVALID"]],
  ["a role that is none", { roles: [{ value: "a", role: "king" }] }, ["http.oidc.roles[0].role SETTING_INVALID"]],
  [
    "a project that is not there",
    { roles: [{ value: "a", role: "viewer", projects: ["x"] }] },
    ["http.oidc.roles[0].projects[0] SETTING_REFERENCE_UNKNOWN"],
  ],
  ["a secret that is not there", { clientSecretFile: "none" }, ["http.oidc.clientSecretFile SECRET_FILE_UNREADABLE"]],
])("checks a log-in with %s", async (_, facts, expected) => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "radferry.yaml"), stringify({ http: { oidc: { ...GOOD, ...facts } } }));
  const { problems } = await checkSettings({ environment: {}, cwd: folder.path });
  expect(problems.map(({ path, code }) => `${path} ${code}`)).toEqual(expected);
});
