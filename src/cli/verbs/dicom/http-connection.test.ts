import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificate } from "../../../../test/peers/certificates.ts";
import { startWebServer } from "../../../../test/peers/dicomweb-server.ts";
import { requirePeer } from "../../../../test/peers/require-peer.ts";
import { runCli } from "../../../../test/support/cli.ts";
import { temporaryFolder } from "../../../../test/support/temporary-folder.ts";

const hasOpenssl = requirePeer("openssl");
const kept = new AsyncDisposableStack();
afterAll(() => kept.disposeAsync());
let folder = "";
beforeAll(async () => {
  folder = kept.use(await temporaryFolder()).path;
  await writeFile(join(folder, "secret"), "open sesame\n", { mode: 0o600 });
});

const dicom = (args: readonly string[]) => runCli(["dicom", ...args], { workingFolder: folder });

describe("credentials", () => {
  it.each([
    [["--token-file", "secret"], "Bearer open sesame"],
    [["--user", "alice", "--password-file", "secret"], "Basic YWxpY2U6b3BlbiBzZXNhbWU="],
  ])("go with every request", async (flags, authorization) => {
    await using server = await startWebServer(() => ({ status: 204 }));
    await dicom(["qido", server.url, ...flags]);
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([authorization]);
  });

  it.each([
    ["a user without a password", ["--user", "alice"]],
    ["a user and a token", ["--user", "alice", "--password-file", "secret", "--token-file", "secret"]],
    ["a certificate without its key", ["--tls-cert", "server.crt"]],
    ["a file that is not there", ["--token-file", "nowhere"]],
  ])("%s are wrong usage", async (_, flags) => {
    expect(await dicom(["qido", "http://127.0.0.1:9", ...flags])).toMatchObject({ exitCode: 2, stdout: "" });
  });

  it.each([["vitrea:2525"], ["http://alice:secret@127.0.0.1:9"], ["ftp://127.0.0.1"]])(
    "%s is no base URL",
    async (url) => {
      expect(await dicom(["qido", url])).toMatchObject({ exitCode: 2, stdout: "" });
    },
  );

  it.skipIf(!hasOpenssl)("over TLS go to who --ca vouches for, and to nobody else", async () => {
    const { certificate: cert, key } = await makeCertificate(folder, "server");
    await makeCertificate(folder, "stranger");
    await using server = await startWebServer(() => ({ status: 204 }), { cert, key });
    const ask = (...flags: readonly string[]) => dicom(["qido", server.url, "--token-file", "secret", ...flags]);
    expect(await ask("--ca", "server.crt")).toMatchObject({ exitCode: 0 });
    for (const flags of [[], ["--ca", "stranger.crt"]]) {
      expect(await ask(...flags)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("TLS_") });
    }
    expect(server.requests.length).toBe(1);
  });

  it.skipIf(!hasOpenssl)("a certificate of ours is shown to who asks for it", async () => {
    const { certificate: cert, key } = await makeCertificate(folder, "server");
    const { certificate: ca } = await makeCertificate(folder, "client");
    await using server = await startWebServer(() => ({ status: 204 }), {
      cert,
      key,
      ca,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const ask = (...flags: readonly string[]) => dicom(["qido", server.url, "--ca", "server.crt", ...flags]);
    expect(await ask("--tls-cert", "client.crt", "--tls-key", "client.key")).toMatchObject({ exitCode: 0 });
    expect((await ask()).exitCode).toBe(1);
  });
});
