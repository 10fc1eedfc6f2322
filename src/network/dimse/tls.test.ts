import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificate, type TestCertificate } from "../../../test/peers/certificates.ts";
import { memoryStore } from "../../../test/peers/memory-archive.ts";
import { abortPdu, associateRequestPdu } from "../../../test/peers/pdu-fixtures.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { outgoingSample, sampleCt } from "../../../test/peers/sample-objects.ts";
import { playScript, type Step, startScriptedPeer } from "../../../test/peers/scripted-peer.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { encodeDataSet } from "../../dicom/writer.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { type LogFields, silentLogger } from "../../units/logger.ts";
import type { TlsClientOptions, TlsServerOptions } from "../upper-layer/tls.ts";
import type { AssociationOptions, DimseServerOptions, StoreHandler } from "./service-types.ts";
import { open, serve, transferSyntaxUids } from "./testing/pair.ts";

const timeouts = { connectTimeoutMs: 5_000, artimTimeoutMs: 5_000, idleTimeoutMs: 5_000 };
const impatient = { ...timeouts, connectTimeoutMs: 50, artimTimeoutMs: 50 };

describe.skipIf(!requirePeer("openssl"))("an association over TLS", () => {
  const certificates: Record<"archive" | "elsewhere" | "expired" | "gateway" | "stranger", TestCertificate> = Object();
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const make = (name: string, options = {}) => makeCertificate(folder.path, name, options);
    const [archive, gateway, stranger, elsewhere, expired] = await Promise.all([
      make("archive"),
      make("gateway"),
      make("stranger"),
      make("elsewhere", { names: "DNS:elsewhere.example" }),
      make("expired", { days: -1 }),
    ]);
    Object.assign(certificates, { archive, gateway, stranger, elsewhere, expired });
  });

  afterAll(() => folder[Symbol.asyncDispose]());

  /** A server that shows this certificate and, when mutual, demands the gateway's. */
  function listening(name: keyof typeof certificates, mutual = false): TlsServerOptions {
    const { certificate, key } = certificates[name];
    return { certificate, key, ...(mutual && { clientCertificateAuthorities: certificates.gateway.certificate }) };
  }

  /** A client that trusts one certificate and shows another. */
  function connecting(trusted: keyof typeof certificates, shown?: keyof typeof certificates): TlsClientOptions {
    const own = shown && { certificate: certificates[shown].certificate, key: certificates[shown].key };
    return { certificateAuthorities: certificates[trusted].certificate, ...own };
  }

  /** The code that the client gets, and those that the server writes down. */
  async function codesOf(server: Partial<DimseServerOptions>, client: Partial<AssociationOptions>) {
    const { promise: logged, resolve } = Promise.withResolvers<unknown>();
    const told = (_: string, fields: LogFields = {}) => resolve(fields.code ?? fields.violation);
    const logger = { ...silentLogger, info: told, warn: told };
    await using listener = await serve({ timeouts, ...server, logger });
    const code = await open(listener, { timeouts, ...client }).then(
      () => "none",
      (error: unknown) => (error instanceof GatewayError ? error.code : error),
    );
    return [code, await logged];
  }

  it.each([
    ["the server's certificate alone", false],
    ["the certificates of both", true],
  ])("is established with %s", async (_, mutual) => {
    await using server = await serve({ tls: listening("archive", mutual) });
    await using association = await open(server, { tls: connecting("archive", "gateway") });
    await association.echo();
  });

  it("holds a sender back while what came before is on its way to the disk", async () => {
    const [sample] = [sampleCt(1, 1, 1, 2_048)];
    const { received, handler } = memoryStore();
    let writing = 0;
    let most = 0;
    const store: StoreHandler = async (instance, signal) => {
      const sink = await handler(instance, signal);
      if ("refuse" in sink) return sink;
      const write = async (chunk: Uint8Array) => {
        writing += 1;
        most = Math.max(most, writing);
        await setImmediate();
        await sink.write(chunk);
        writing -= 1;
      };
      return { ...sink, write };
    };
    await using server = await serve({ tls: listening("archive"), handlers: { store } });
    const contexts = [{ abstractSyntaxUid: sample.sopClassUid, transferSyntaxUids }];
    await using association = await open(server, { tls: connecting("archive"), contexts });
    expect(await association.store(outgoingSample(sample))).toEqual({ status: 0 });
    const sent = encodeDataSet(sample.dataSet, EXPLICIT_VR_LITTLE_ENDIAN);
    expect(received.get(sample.sopInstanceUid)?.equals(sent)).toBe(true);
    expect(most).toBe(1);
  });

  it("lets no client begin its handshake anew", async () => {
    await using server = await serve({ tls: listening("archive") });
    const ca = certificates.archive.certificate;
    const socket = connectTls({ port: server.port, host: "127.0.0.1", ca, maxVersion: "TLSv1.2" });
    await once(socket, "secureConnect");
    const { promise, reject, resolve } = Promise.withResolvers<void>();
    socket.once("error", reject).once("close", () => reject(new Error("closed")));
    socket.renegotiate({}, (error) => (error === null ? resolve() : reject(error)));
    await expect(promise).rejects.toThrow();
    socket.destroy();
  });

  it("takes the name it is told to find in the certificate", async () => {
    await using server = await serve({ tls: listening("elsewhere") });
    const tls = { ...connecting("elsewhere"), serverName: "elsewhere.example" };
    await using association = await open(server, { tls });
    await association.echo();
  });

  it.each<readonly [string, () => readonly [TlsServerOptions, TlsClientOptions], string, string]>([
    [
      "a certificate nobody trusts",
      () => [listening("stranger"), connecting("archive")],
      "TLS_CERTIFICATE_UNTRUSTED",
      "TLS_INTERRUPTED",
    ],
    [
      "a certificate that the system's authorities do not know",
      () => [listening("archive"), {}],
      "TLS_CERTIFICATE_UNTRUSTED",
      "TLS_INTERRUPTED",
    ],
    [
      "a certificate for another name",
      () => [listening("elsewhere"), connecting("elsewhere")],
      "TLS_CERTIFICATE_NAME_WRONG",
      "TLS_INTERRUPTED",
    ],
    [
      "a certificate that has expired",
      () => [listening("expired"), connecting("expired")],
      "TLS_CERTIFICATE_INVALID",
      "TLS_INTERRUPTED",
    ],
    [
      "a client without the certificate that is demanded",
      () => [listening("archive", true), connecting("archive")],
      "TLS_CERTIFICATE_REFUSED",
      "TLS_CERTIFICATE_UNTRUSTED",
    ],
    [
      "a client with a certificate that is not trusted",
      () => [listening("archive", true), connecting("archive", "stranger")],
      "ASSOCIATION_ABORTED",
      "TLS_CERTIFICATE_UNTRUSTED",
    ],
  ])("is not established with %s", async (_, sides, clientCode, serverCode) => {
    const [server, client] = sides();
    expect(await codesOf({ tls: server }, { tls: client })).toEqual([clientCode, serverCode]);
  });

  it("is not established between one who speaks TLS and one who does not", async () => {
    const [server, client] = [{ tls: listening("archive") }, { tls: connecting("archive") }];
    expect(await codesOf({}, client)).toEqual(["TLS_NOT_SPOKEN", "PDU_TYPE_UNKNOWN"]);
    expect(await codesOf(server, {})).toEqual(["ASSOCIATION_ABORTED", "TLS_NOT_SPOKEN"]);
  });

  it.each<readonly [string, readonly Step[], string]>([
    ["closes at the first byte", [{ abruptly: "end" }], "TLS_INTERRUPTED"],
    ["resets at the first byte", [{ abruptly: "reset" }], "TLS_INTERRUPTED"],
    ["says nothing", [], "TIMED_OUT"],
    ["answers with an abort", [{ send: abortPdu(2, 1) }], "TLS_NOT_SPOKEN"],
    ["answers as a web server", [{ send: Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n") }], "TLS_NOT_SPOKEN"],
  ])("is not established with a peer that %s", async (_, script, code) => {
    await using peer = await startScriptedPeer(script);
    const opening = open(peer, { tls: connecting("archive"), timeouts: { ...timeouts, connectTimeoutMs: 200 } });
    await expect(opening).rejects.toMatchObject({ code });
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)("is established with a peer that has only %s", async (version) => {
    await using server = await serve({ tls: listening("archive"), rules: { calledAeTitles: "any" } });
    const versions = { minVersion: version, maxVersion: version };
    const socket = connectTls({ host: "127.0.0.1", port: server.port, rejectUnauthorized: false, ...versions });
    socket.write(associateRequestPdu);
    const [answer] = await once(socket, "data");
    // A-ASSOCIATE-AC. PS3.8 9.3.3.
    expect([answer[0], socket.getProtocol()]).toEqual([0x02, version]);
    socket.destroy();
    await once(socket, "close");
  });

  it("is not established with a peer that has only TLS 1.1", async () => {
    const { certificate: cert, key } = certificates.archive;
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    const server = createTlsServer({ cert, key, ...old }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await expect(open({ port }, { tls: connecting("archive") })).rejects.toMatchObject({ code: "TLS_FAILED" });
    server.close();
    await once(server, "close");
  });

  it("is not waited for beyond ARTIM when a client says nothing, or only half", async () => {
    const logged: unknown[] = [];
    const logger = { ...silentLogger, info: (_: string, { code = "" } = {}) => void logged.push(code) };
    {
      await using server = await serve({ tls: listening("archive"), timeouts: impatient, logger });
      await playScript(server.port, [{ expectEnd: true }]);
      /** The beginning of a TLS record: handshake (22), version 3.1, length 512, client hello (1). RFC 8446 5.1. */
      await playScript(server.port, [{ send: Uint8Array.of(22, 3, 1, 2, 0, 1) }, { expectEnd: true }]);
    }
    expect(logged).toEqual(["TIMED_OUT", "TIMED_OUT"]);
  });

  it("does not hold up the end of the server while it is being negotiated", async () => {
    const server = await serve({ tls: listening("archive"), timeouts: { ...timeouts, artimTimeoutMs: 60_000 } });
    const socket = connect(server.port, "127.0.0.1");
    await once(socket, "connect");
    const closed = once(socket, "close");
    await server[Symbol.asyncDispose]();
    await closed;
  });

  it.each<readonly [string, () => TlsServerOptions]>([
    ["a key of another certificate", () => ({ ...listening("archive"), key: certificates.stranger.key })],
    ["a certificate that is none", () => ({ ...listening("archive"), certificate: "certificate" })],
    ["authorities that are none", () => ({ ...listening("archive"), clientCertificateAuthorities: "" })],
  ])("cannot be listened for with %s", async (_, tls) => {
    await expect(serve({ tls: tls() })).rejects.toMatchObject({ code: "TLS_SETTINGS_INVALID" });
  });

  it.each<readonly [string, () => TlsClientOptions]>([
    ["a certificate without a key", () => ({ certificate: certificates.gateway.certificate })],
    [
      "authorities of which one is cut short",
      () => ({
        certificateAuthorities: certificates.archive.certificate + certificates.stranger.certificate.slice(0, 200),
      }),
    ],
    ["authorities cut short", () => ({ certificateAuthorities: certificates.archive.certificate.slice(0, 200) })],
    [
      "authorities that cannot be read",
      () => ({ certificateAuthorities: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n" }),
    ],
  ])("cannot be requested with %s", async (_, tls) => {
    await expect(open({ port: 1 }, { tls: tls() })).rejects.toMatchObject({ code: "TLS_SETTINGS_INVALID" });
  });

  it("refuses what is no TLS and goes on listening", async () => {
    await using server = await serve({ tls: listening("archive") });
    await playScript(server.port, [{ send: associateRequestPdu }, { expectEnd: true }]);
    await using association = await open(server, { tls: connecting("archive") });
    await association.echo();
  });
});
