import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificate } from "../../../../test/peers/certificates.ts";
import { memoryArchive } from "../../../../test/peers/memory-archive.ts";
import { requirePeer } from "../../../../test/peers/require-peer.ts";
import { sampleCt, writeSample } from "../../../../test/peers/sample-objects.ts";
import { type CliResult, capture, runCli } from "../../../../test/support/cli.ts";
import { temporaryFolder } from "../../../../test/support/temporary-folder.ts";
import { parseAeTitle } from "../../../dicom/ae-title.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { startDimseServer } from "../../../network/dimse/server.ts";
import type { AcceptanceRules, DimseServer, UserIdentity } from "../../../network/dimse/service-types.ts";

const hasOpenssl = requirePeer("openssl");
const OBJECT = sampleCt(1, 1, 1);
const KEY = "StudyInstanceUID=1.2.826.0.1.3680043.9.9999.1";

const files = new AsyncDisposableStack();
afterAll(() => files.disposeAsync());
let folder = "";
beforeAll(async () => {
  folder = files.use(await temporaryFolder()).path;
  await writeFile(join(folder, "password"), "open sesame\n", { mode: 0o600 });
  if (hasOpenssl) for (const name of ["server", "client"]) await makeCertificate(folder, name);
});

function dicom(...args: readonly string[]): Promise<CliResult> {
  return runCli(["dicom", ...args, "--json"], { workingFolder: folder });
}

/** `dicom receive` into the folder `in`, while something is done with its address. */
async function whileReceiving(flags: readonly string[], work: (address: string) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const ready = Promise.withResolvers<string>();
  const running = runCli(["dicom", "receive", "--port", "0", "--out", "in", "--json", ...flags], {
    workingFolder: folder,
    stop: stop.signal,
    stdout: capture(ready.resolve),
  });
  const ended = running.then(({ stderr }) => Promise.reject(new Error(stderr)));
  const { port } = JSON.parse(await Promise.race([ready.promise, ended]));
  ended.catch(() => undefined);
  await work(`RADFERRY@127.0.0.1:${port}`);
  stop.abort(new GatewayError("CANCELLED"));
  await running;
}

describe.skipIf(!hasOpenssl)("over TLS", () => {
  const trusting = ["--tls-ca", "server.crt"];
  const showing = ["--tls-cert", "client.crt", "--tls-key", "client.key"];
  const receiving = ["--tls-cert", "server.crt", "--tls-key", "server.key", "--tls-client-ca", "client.crt"];

  it("sends to a receiver that asks for our certificate, and to its name alone", async () => {
    await mkdir(join(folder, "out"), { recursive: true });
    await writeSample(join(folder, "out"), OBJECT);
    await whileReceiving(receiving, async (address) => {
      const codeOf = async (...flags: readonly string[]): Promise<unknown> => {
        const { exitCode, stdout } = await dicom("echo", address, ...flags);
        return exitCode === 0 ? "fine" : JSON.parse(stdout).error.code;
      };
      expect(await codeOf("--tls")).toBe("TLS_CERTIFICATE_UNTRUSTED");
      expect(await codeOf(...trusting)).toBe("TLS_CERTIFICATE_REFUSED");
      expect(await codeOf(...trusting, ...showing, "--tls-server-name", "elsewhere")).toBe(
        "TLS_CERTIFICATE_NAME_WRONG",
      );
      expect(await codeOf(...trusting, ...showing, "--tls-server-name", "localhost")).toBe("fine");
      const sent = await dicom("store", address, "out", ...trusting, ...showing);
      expect(JSON.parse(sent.stdout)).toMatchObject({ sent: 1, failed: 0 });
    });
    expect(await readdir(join(folder, "in"))).toEqual([`${OBJECT.sopInstanceUid}.dcm`]);
  });

  it("searches and fetches", async () => {
    const { certificate, key } = await makeCertificate(folder, "archive");
    await using server = await startDimseServer({
      host: "127.0.0.1",
      port: 0,
      aeTitle: parseAeTitle("PEER"),
      handlers: memoryArchive([OBJECT], () => undefined),
      tls: { certificate, key },
    });
    const address = `PEER@127.0.0.1:${server.port}`;
    const flags = ["-k", KEY, "--tls-ca", "archive.crt"];
    expect(JSON.parse((await dicom("find", address, ...flags)).stdout)).toHaveLength(1);
    const fetched = await dicom("get", address, ...flags, "--out", "fetched");
    expect(JSON.parse(fetched.stdout)).toMatchObject({ completed: 1, stored: 1 });
    const moved = await dicom("move", address, ...flags, "--dest", "NOBODY");
    expect(JSON.parse(moved.stdout)).toMatchObject({ error: { code: "MOVE_DESTINATION_UNKNOWN" } });
  });
});

describe("who we are", () => {
  function startServer(rules: AcceptanceRules): Promise<DimseServer> {
    return startDimseServer({ host: "127.0.0.1", port: 0, aeTitle: parseAeTitle("PEER"), handlers: {}, rules });
  }

  it("is told by user and password", async () => {
    const told: UserIdentity[] = [];
    await using server = await startServer({
      authenticate: (identity) => {
        told.push(identity);
        return true;
      },
    });
    const echo = ["echo", `PEER@127.0.0.1:${server.port}`, "--user", "ali"];
    expect(await dicom(...echo, "--password-file", "password")).toMatchObject({ exitCode: 0 });
    expect(await dicom(...echo)).toMatchObject({ exitCode: 0 });
    expect(told).toMatchObject([
      { kind: "username-passcode", username: "ali", passcode: "open sesame" },
      { kind: "username", username: "ali" },
    ]);
  });

  it("matters to a receiver that takes one user only", async () => {
    await writeFile(join(folder, "wrong"), "open says me\n", { mode: 0o600 });
    await whileReceiving(["--user", "ali", "--password-file", "password"], async (address) => {
      const exitCodeOf = async (...flags: readonly string[]) => (await dicom("echo", address, ...flags)).exitCode;
      expect(await exitCodeOf("--user", "ali", "--password-file", "password")).toBe(0);
      expect(await exitCodeOf("--user", "ali", "--password-file", "wrong")).toBe(1);
      expect(await exitCodeOf("--user", "baba", "--password-file", "password")).toBe(1);
      expect(await exitCodeOf("--user", "ali")).toBe(1);
      expect(await exitCodeOf()).toBe(1);
    });
  });

  it("matters to a receiver that takes only some calling AE titles", async () => {
    await whileReceiving(["--accept-calling", "ONE", "TWO", "--max-pdu", "16384"], async (address) => {
      const codes = await Promise.all(
        ["ONE", "TWO", "THREE"].map(async (title) => {
          const { exitCode } = await dicom("echo", address, "--calling", title, "--max-pdu", "4096");
          return exitCode;
        }),
      );
      expect(codes).toEqual([0, 0, 1]);
    });
  });
});

it.each([
  [["echo", "A@h:1", "--tls-cert", "a"], "USAGE_INVALID"],
  [["echo", "A@h:1", "--password-file", "password"], "USAGE_INVALID"],
  [["echo", "A@h:1", "--max-pdu", "100"], "USAGE_INVALID"],
  [["echo", "A@h:1", "--tls-ca", "none.pem"], "CERTIFICATE_FILE_UNREADABLE"],
  [["echo", "A@h:1", "--user", "u", "--password-file", "none"], "SECRET_FILE_UNREADABLE"],
  [["receive", "--port", "0", "--out", "x", "--tls-client-ca", "a"], "USAGE_INVALID"],
  [["receive", "--port", "0", "--out", "x", "--tls-key", "a"], "USAGE_INVALID"],
  [["receive", "--port", "0", "--out", "x", "--accept-calling", "SEVENTEEN-LETTERS"], "USAGE_INVALID"],
])("%j is wrong usage", async (args, code) => {
  const { exitCode, stdout, stderr } = await dicom(...args);
  expect({ exitCode, said: stdout + stderr }).toEqual({ exitCode: 2, said: expect.stringContaining(code) });
});
