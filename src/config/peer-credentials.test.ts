import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { makeCertificate } from "../../test/peers/certificates.ts";
import { requirePeer } from "../../test/peers/require-peer.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { clientContext } from "../network/upper-layer/tls-context.ts";
import { credentialsOf, loadTlsServer, loadUserRules } from "./peer-credentials.ts";

it("reads a password that was changed, and gives the same object while nothing was", async () => {
  await using folder = await temporaryFolder();
  const passwordFile = join(folder.path, "password");
  await writeFile(passwordFile, "one\n", { mode: 0o600 });
  const credentials = credentialsOf({ tls: {}, user: { username: "ali", passwordFile } });
  const first = await credentials();
  expect(first).toEqual({
    tls: {},
    userIdentity: { kind: "username-passcode", username: "ali", passcode: "one" },
  });
  expect(await credentials()).toBe(first);
  await writeFile(passwordFile, "two\n");
  expect(await credentials()).toMatchObject({ userIdentity: { passcode: "two" } });
});

it("has nothing to tell of a peer without TLS and user", async () => {
  expect(await credentialsOf({})()).toEqual({});
});

it("lets each of its users in with the password of theirs, and nobody else", async () => {
  await using folder = await temporaryFolder();
  const users = [];
  for (const [username, password] of [
    ["ali", "one"],
    ["bea", "two"],
  ] as const) {
    const passwordFile = join(folder.path, username);
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    users.push({ username, passwordFile });
  }
  const { authenticate, userIdentityRequired } = await loadUserRules(users);
  const isLetIn = (username: string, passcode: string) =>
    authenticate?.({ kind: "username-passcode", username, passcode });
  expect(userIdentityRequired).toBe(true);
  expect([isLetIn("ali", "one"), isLetIn("bea", "two")]).toEqual([true, true]);
  const others = [isLetIn("ali", "two"), isLetIn("al", "ione"), isLetIn("", "alione"), isLetIn("eve", "one")];
  expect(others).toEqual([false, false, false, false]);
  expect(authenticate?.({ kind: "username", username: "ali" })).toBe(false);
  expect(await loadUserRules([])).toEqual({});
});

it.skipIf(!requirePeer("openssl"))("refuses a key that is not the certificate's", async () => {
  await using folder = await temporaryFolder();
  const one = await makeCertificate(folder.path, "one");
  const other = await makeCertificate(folder.path, "other");
  const files = { certificateFile: one.certificateFile, keyFile: other.keyFile };
  const refused = expect.objectContaining({ code: "CERTIFICATE_KEY_MISMATCH" });
  await expect(credentialsOf({ tls: files })()).rejects.toThrow(refused);
  await expect(loadTlsServer(files)).rejects.toThrow(refused);
  const whole = { certificateFile: one.certificateFile, keyFile: one.keyFile, authoritiesFile: other.certificateFile };
  expect(await credentialsOf({ tls: whole })()).toEqual({
    tls: { certificate: one.certificate, key: one.key, certificateAuthorities: other.certificate },
  });
});

it.skipIf(!requirePeer("openssl"))(
  "takes certificates between which no line ends, and none of a file that is cut short",
  async () => {
    await using folder = await temporaryFolder();
    const own = await makeCertificate(folder.path, "own");
    const above = await makeCertificate(folder.path, "above");
    const certificateFile = join(folder.path, "chain.pem");
    const files = { certificateFile, keyFile: own.keyFile, authoritiesFile: certificateFile };

    await writeFile(certificateFile, `notes\n${own.certificate.trimEnd()}${above.certificate}`);
    const { tls } = await credentialsOf({ tls: files })();
    expect(tls).toMatchObject({ certificate: `${own.certificate}${above.certificate}` });
    expect(() => clientContext(tls ?? {})).not.toThrow();

    const refused = expect.objectContaining({ code: "CERTIFICATE_FILE_MALFORMED" });
    const half = above.certificate.length / 2;
    for (const cut of [above.certificate.slice(0, half), above.certificate.slice(half)]) {
      await writeFile(certificateFile, `${own.certificate}${cut}`);
      await expect(credentialsOf({ tls: { authoritiesFile: certificateFile } })()).rejects.toThrow(refused);
    }
  },
);
