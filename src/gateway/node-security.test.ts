import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeCertificate } from "../../test/peers/certificates.ts";
import { requirePeer } from "../../test/peers/require-peer.ts";
import { syntheticStudy } from "../../test/peers/synthetic-studies.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { createForwarding } from "../archive/dimse/forward-instances.ts";
import { manifest } from "../config/manifest.ts";
import { resolveSettings, type Settings } from "../config/settings.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../dicom/uid.ts";
import type { StoreHandler } from "../network/dimse/service-types.ts";
import { systemClock } from "../units/clock.ts";
import { silentLogger } from "../units/logger.ts";
import { openListener } from "./listener.ts";
import { nodeConnection } from "./node-security.ts";

const STUDY = syntheticStudy({ modality: "CT", rows: 4, columns: 4, instancesPerSeries: 1, seed: 5 });

/** A site's folder, and what it writes below `dicom` and `node`. */
async function makeSettings(folder: string, dicom: object, node: object = {}): Promise<Settings> {
  return resolveSettings(
    manifest.parse({ home: "home", dicom: { aeTitle: "FERRY", port: 0, ...dicom }, node }),
    folder,
  );
}

/** Another gateway, which counts what it is given. */
async function startOther(settings: Settings) {
  const given: string[] = [];
  const store: StoreHandler = ({ sopInstanceUid }) => {
    const sink = { write() {}, close: () => Promise.resolve(given.push(sopInstanceUid) && 0), async abort() {} };
    return Promise.resolve(sink);
  };
  const listener = await openListener(settings, { store, logger: silentLogger });
  return { listener, given, [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose]() };
}

/** Has our gateway pass an image on to the other one's port. */
async function passOn(settings: Settings, port = 0): Promise<boolean> {
  const record = { version: "1.0.0", roles: ["receiver"], startedAtMs: 0, seenAtMs: systemClock.nowMs() };
  await using forwarding = createForwarding({
    node: "north",
    nodeOfStudy: async () => ({ ...record, name: "east", address: `FERRY@127.0.0.1:${port}` }),
    connection: nodeConnection(settings),
    clock: systemClock,
    logger: silentLogger,
  });
  const [image] = STUDY.instances;
  if (image === undefined) throw new Error("the study is empty");
  const { sopClassUid, transferSyntaxUid, file } = image;
  const sopInstanceUid = parseSopInstanceUid(image.sopInstanceUid);
  const studyInstanceUid = parseStudyInstanceUid(STUDY.studyInstanceUid);
  const instance = {
    path: "",
    studyInstanceUid,
    seriesInstanceUid: parseSeriesInstanceUid(image.seriesInstanceUid),
    sopInstanceUid,
    sopClassUid,
    transferSyntaxUid,
  };
  const incoming = { sopClassUid, sopInstanceUid, transferSyntaxUid, callingAeTitle: "CT1" };
  return await forwarding.forward(
    { instance: { ...instance, modality: "CT", sizeBytes: file.length }, pieces: [file] },
    { ...incoming, calledAeTitle: "FERRY", remoteAddress: "127.0.0.1" },
  );
}

const refusal = (cause: string) =>
  expect.objectContaining({ code: "STUDY_ON_OTHER_NODE", details: expect.objectContaining({ cause }) });

it("gateways connect as a user of the site, where those are asked for", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "password"), "open sesame\n", { mode: 0o600 });
  const settings = await makeSettings(folder.path, { users: [{ username: "vna", passwordFile: "password" }] });
  await using other = await startOther(settings);
  expect(await passOn(settings, other.listener.port)).toBe(true);
  expect(other.given).toHaveLength(1);
});

describe.runIf(requirePeer("openssl"))("gateways whose listeners speak TLS", () => {
  it("show each other certificates of the site's authority", async () => {
    await using folder = await temporaryFolder();
    const authority = await makeCertificate(folder.path, "authority", { isAuthority: true });
    for (const name of ["north", "east"]) await makeCertificate(folder.path, name, { authority });
    const tlsOf = (name: string) => ({
      tls: { certificateFile: `${name}.crt`, keyFile: `${name}.key`, clientAuthoritiesFile: "authority.crt", port: 0 },
    });
    await using other = await startOther(await makeSettings(folder.path, tlsOf("east")));
    expect(await passOn(await makeSettings(folder.path, tlsOf("north")), other.listener.tlsPort)).toBe(true);
    expect(other.given).toHaveLength(1);
  });

  it("pass nothing on to one that shows another's certificate, or listens without TLS", async () => {
    await using folder = await temporaryFolder();
    for (const name of ["ours", "theirs"]) await makeCertificate(folder.path, name);
    const tlsOf = (name: string) => ({
      tls: { certificateFile: `${name}.crt`, keyFile: `${name}.key`, clientAuthoritiesFile: "ours.crt", port: 0 },
    });
    await using other = await startOther(await makeSettings(folder.path, tlsOf("theirs")));
    const settings = await makeSettings(folder.path, tlsOf("ours"));
    await expect(passOn(settings, other.listener.tlsPort)).rejects.toEqual(refusal("TLS_CERTIFICATE_UNTRUSTED"));
    await expect(passOn(settings, other.listener.port)).rejects.toEqual(refusal("TLS_NOT_SPOKEN"));
    expect(other.given).toEqual([]);
  });

  it("take what node.tls names before what dicom.tls does", async () => {
    await using folder = await temporaryFolder();
    const named = { names: "DNS:ferry.example.org" };
    await makeCertificate(folder.path, "listener", named);
    await makeCertificate(folder.path, "client");
    const dicom = {
      tls: { certificateFile: "listener.crt", keyFile: "listener.key", clientAuthoritiesFile: "client.crt", port: 0 },
    };
    await using other = await startOther(await makeSettings(folder.path, dicom));
    const { tlsPort } = other.listener;
    const settings = await makeSettings(folder.path, dicom, {
      tls: {
        authoritiesFile: "listener.crt",
        certificateFile: "client.crt",
        keyFile: "client.key",
        serverName: "ferry.example.org",
      },
    });
    expect(await passOn(settings, tlsPort)).toBe(true);
    const unnamed = { ...settings, node: { ...settings.node, tls: { ...settings.node.tls, serverName: undefined } } };
    await expect(passOn(unnamed, tlsPort)).rejects.toEqual(refusal("TLS_CERTIFICATE_NAME_WRONG"));
  });
});
