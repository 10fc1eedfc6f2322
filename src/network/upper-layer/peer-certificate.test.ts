import { once } from "node:events";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificate, type TestCertificate } from "../../../test/peers/certificates.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { neverAborted } from "../../units/abort.ts";
import { peerCertificateEndMs } from "./peer-certificate.ts";

async function listening(server: Server): Promise<AsyncDisposable & { readonly host: string; readonly port: number }> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    host: "127.0.0.1",
    port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

describe.skipIf(!requirePeer("openssl"))("a peer's certificate", () => {
  const files = new AsyncDisposableStack();
  afterAll(() => files.disposeAsync());
  let good: TestCertificate;
  let expired: TestCertificate;
  let elsewhere: TestCertificate;
  beforeAll(async () => {
    const { path } = files.use(await temporaryFolder());
    good = await makeCertificate(path, "good", { days: 3 });
    expired = await makeCertificate(path, "expired", { days: -1 });
    elsewhere = await makeCertificate(path, "elsewhere", { names: "DNS:elsewhere.example.org" });
  });

  it("tells when it ends", async () => {
    await using peer = await listening(createTlsServer({ cert: good.certificate, key: good.key }));
    const endMs = await peerCertificateEndMs(peer, { certificateAuthorities: good.certificate }, neverAborted());
    expect(Math.round((endMs - Date.now()) / 86_400_000)).toBe(3);
  });

  it.each([
    ["nobody we trust has signed", () => ({ shown: good, trusted: elsewhere }), "TLS_CERTIFICATE_UNTRUSTED"],
    ["has ended", () => ({ shown: expired, trusted: expired }), "TLS_CERTIFICATE_INVALID"],
    ["is for another name", () => ({ shown: elsewhere, trusted: elsewhere }), "TLS_CERTIFICATE_NAME_WRONG"],
  ])("that %s is refused", async (_, certificates, code) => {
    const { shown, trusted } = certificates();
    await using peer = await listening(createTlsServer({ cert: shown.certificate, key: shown.key }));
    const asked = peerCertificateEndMs(peer, { certificateAuthorities: trusted.certificate }, neverAborted());
    await expect(asked).rejects.toThrow(expect.objectContaining({ code }));
  });

  it("is not waited for when the signal aborts", async () => {
    const silent = createTcpServer((socket) => void socket.on("error", () => undefined).resume());
    await using peer = await listening(silent);
    const stop = new AbortController();
    silent.once("connection", () => stop.abort(new GatewayError("CANCELLED")));
    const asked = peerCertificateEndMs(peer, { certificateAuthorities: good.certificate }, stop.signal);
    await expect(asked).rejects.toThrow(expect.objectContaining({ code: "CANCELLED" }));
  });
});
