import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { checkSettings } from "./load-settings.ts";

it.each([
  ["archives", "kind: dicomweb", "username: u", ["passwordFile"]],
  ["archives", "kind: orthanc", "passwordFile: secret", ["username"]],
  ["archives", "kind: xnat-dqr", "clientCertificateFile: chain.pem", ["clientKeyFile"]],
  ["destinations", "kind: dicomweb", "clientKeyFile: key.pem", ["clientCertificateFile"]],
  ["destinations", "kind: orthanc", "username: u", ["passwordFile"]],
  ["destinations", "kind: xnat", "username: u", ["passwordFile"]],
  ["archives", "kind: dicomweb", "username: u, passwordFile: secret", []],
  ["archives", "kind: dicomweb", "tokenFile: secret", []],
])("%s of %s do not log in with one half: %s", async (list, kind, half, missing) => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "secret"), "s\n", { mode: 0o600 });
  const text = `${list}: [{ name: a, ${kind}, url: 'https://h', ${half} }]\n`;
  await writeFile(join(folder.path, "radferry.yaml"), text);
  const { problems } = await checkSettings({ environment: {}, cwd: folder.path });
  const ofHalf = problems.filter(({ code }) => code === "SETTING_MISSING").map(({ path }) => path);
  expect(ofHalf).toEqual(missing.map((name) => `${list}[0].${name}`));
});

it("opens the key that a destination is logged in to with, and its passphrase", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "open"), "s\n", { mode: 0o644 });
  const files = "privateKeyFile: open, passphraseFile: none";
  const text = `destinations: [{ name: a, kind: sftp, host: h, username: u, ${files} }]\n`;
  await writeFile(join(folder.path, "radferry.yaml"), text);
  const { problems } = await checkSettings({ environment: {}, cwd: folder.path });
  const ofFiles = problems.filter(({ code }) => code.startsWith("SECRET")).map(({ path, code }) => `${path} ${code}`);
  expect(ofFiles.sort()).toEqual([
    "destinations[0].passphraseFile SECRET_FILE_UNREADABLE",
    "destinations[0].privateKeyFile SECRET_FILE_READABLE_BY_OTHERS",
  ]);
});
