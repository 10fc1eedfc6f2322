import { get } from "node:https";
import { expect, it } from "vitest";
import { makeCertificate } from "../peers/certificates.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { openService } from "../support/service.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

function statusOver(url: string, ca: string, token: string): Promise<number | undefined> {
  const headers = { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    get(url, { ca, headers, agent: false }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode));
    }).once("error", reject);
  });
}

it.skipIf(!requirePeer("openssl"))("speaks HTTPS alone where the settings name a certificate", async () => {
  await using folder = await temporaryFolder();
  const { certificate, certificateFile, keyFile } = await makeCertificate(folder.path, "gateway");
  await using service = await openService({ settings: { http: { port: 0, tls: { certificateFile, keyFile } } } });
  const { httpPort, firstToken = "" } = service.gateway;
  expect(await statusOver(`https://localhost:${httpPort}/api/v1/me`, certificate, firstToken)).toBe(200);
  await expect(fetch(`http://127.0.0.1:${httpPort}/health/live`)).rejects.toThrow();
});

it("does not start with a certificate that is not there", async () => {
  const tls = { certificateFile: "none.crt", keyFile: "none.key" };
  await expect(openService({ settings: { http: { port: 0, tls } } })).rejects.toMatchObject({
    code: "CERTIFICATE_FILE_UNREADABLE",
  });
});
