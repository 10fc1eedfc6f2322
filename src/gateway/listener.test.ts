import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeCertificate } from "../../test/peers/certificates.ts";
import { requirePeer } from "../../test/peers/require-peer.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { parseAeTitle } from "../dicom/ae-title.ts";
import { openAssociation } from "../network/dimse/association.ts";
import type { UserIdentity } from "../network/dimse/service-types.ts";
import type { TlsClientOptions } from "../network/upper-layer/tls.ts";
import { silentLogger } from "../units/logger.ts";
import { lockHome } from "./home-lock.ts";
import { type ListenerSettings, openListener, openRehearsalListener, refuseEverything } from "./listener.ts";

const services = { store: refuseEverything, logger: silentLogger };

function settingsWith(port: number, tls?: ListenerSettings["dicom"]["tls"]): ListenerSettings {
  const aeTitle = parseAeTitle("RADFERRY");
  const dicom = { aeTitle, host: "127.0.0.1", port, rules: {}, users: [], maximumPduLength: 16_384 };
  return { dicom: tls === undefined ? dicom : { ...dicom, tls } };
}

it("says that the port is taken, and by a code of its own", async () => {
  await using first = await openListener(settingsWith(0), services);
  const { port = 0 } = first;
  await expect(openListener(settingsWith(port), services)).rejects.toThrow(
    expect.objectContaining({ code: "LISTENER_PORT_IN_USE" }),
  );
  await using home = await temporaryFolder();
  const rehearse = () => openRehearsalListener({ ...settingsWith(port), home: home.path }, silentLogger);
  await expect(rehearse()).rejects.toThrow(expect.objectContaining({ code: "LISTENER_PORT_IN_USE" }));
  using _service = lockHome(home.path);
  expect(await rehearse()).toBeUndefined();
});

async function echo(port: number, tls?: TlsClientOptions, userIdentity?: UserIdentity): Promise<void> {
  await using association = await openAssociation({
    address: { aeTitle: parseAeTitle("RADFERRY"), host: "127.0.0.1", port },
    callingAeTitle: parseAeTitle("ARCHIVE"),
    contexts: [{ abstractSyntaxUid: "1.2.840.10008.1.1", transferSyntaxUids: ["1.2.840.10008.1.2"] }],
    ...(tls === undefined ? {} : { tls }),
    ...(userIdentity === undefined ? {} : { userIdentity }),
  });
  await association.echo();
}

it("tells a port that is taken from an address that is somebody else's", async () => {
  await using first = await openListener(settingsWith(0), services);
  const { port = 0 } = first;
  const failed = { code: "LISTENER_PORT_IN_USE" };
  await expect(openListener(settingsWith(port), services)).rejects.toMatchObject({
    ...failed,
    details: { host: "127.0.0.1", port, cause: "EADDRINUSE" },
  });
  const { dicom } = settingsWith(0);
  await expect(openListener({ dicom: { ...dicom, host: "192.0.2.1" } }, services)).rejects.toMatchObject({
    ...failed,
    details: { host: "192.0.2.1", cause: "EADDRNOTAVAIL" },
  });
});

it("takes whom the settings allow", async () => {
  const settings = settingsWith(0);
  const rules = { peers: [{ callingAeTitles: ["SOMEBODY"] }] };
  await using listener = await openListener({ ...settings, dicom: { ...settings.dicom, rules } }, services);
  await expect(echo(listener.port ?? 0)).rejects.toThrow(expect.objectContaining({ code: "CALLING_AE_TITLE_UNKNOWN" }));
});

it("takes the users of the settings alone", async () => {
  await using folder = await temporaryFolder();
  const passwordFile = join(folder.path, "password");
  await writeFile(passwordFile, "open sesame\n", { mode: 0o600 });
  const settings = settingsWith(0);
  const users = [
    { username: "baba", passwordFile },
    { username: "ali", passwordFile },
  ];
  await using listener = await openListener({ ...settings, dicom: { ...settings.dicom, users } }, services);
  const { port = 0 } = listener;
  await echo(port, undefined, { kind: "username-passcode", username: "ali", passcode: "open sesame" });
  const refused: (UserIdentity | undefined)[] = [
    undefined,
    { kind: "username", username: "ali" },
    { kind: "username-passcode", username: "ali", passcode: "open says me" },
    { kind: "username-passcode", username: "cassim", passcode: "open sesame" },
  ];
  for (const identity of refused)
    await expect(echo(port, undefined, identity)).rejects.toThrow(
      expect.objectContaining({ code: "ASSOCIATION_REJECTED" }),
    );
});

describe.skipIf(!requirePeer("openssl"))("with a certificate", () => {
  it("listens over TLS beside the plain port", async () => {
    await using folder = await temporaryFolder();
    const { certificate, certificateFile, keyFile } = await makeCertificate(folder.path, "ours");
    const tls = { files: { certificateFile, keyFile }, port: 0, only: false };
    await using listener = await openListener(settingsWith(0, tls), services);
    await echo(listener.port ?? 0);
    await echo(listener.tlsPort ?? 0, { certificateAuthorities: certificate });
  });

  it("listens over TLS alone, and to nobody without a certificate of the authority", async () => {
    await using folder = await temporaryFolder();
    const { certificate, certificateFile, keyFile } = await makeCertificate(folder.path, "ours");
    const client = await makeCertificate(folder.path, "client");
    const files = { certificateFile, keyFile, clientAuthoritiesFile: client.certificateFile };
    await using listener = await openListener(settingsWith(0, { files, port: 0, only: true }), services);
    expect(listener.port).toBeUndefined();
    const trusting = { certificateAuthorities: certificate };
    await expect(echo(listener.tlsPort ?? 0, trusting)).rejects.toThrow(
      expect.objectContaining({ code: "TLS_CERTIFICATE_REFUSED" }),
    );
    await echo(listener.tlsPort ?? 0, { ...trusting, certificate: client.certificate, key: client.key });
  });
});
