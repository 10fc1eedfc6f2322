import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAeTitle, parseDicomAddress } from "../../src/dicom/ae-title.ts";
import { openAssociation } from "../../src/network/dimse/association.ts";
import { outgoingFromFile } from "../../src/network/dimse/outgoing-file.ts";
import { makeCertificate, type TestCertificate } from "../peers/certificates.ts";
import { freePort } from "../peers/free-port.ts";
import { startOrthanc } from "../peers/orthanc.ts";
import { startPostgres } from "../peers/postgres.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import type { Service } from "../support/service.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import {
  allDelivered,
  makeTwoGateways,
  type NodeName,
  PROJECT,
  startBalancer,
  submitStudies,
  type TwoGateways,
} from "../support/two-gateways.ts";

const TITLE = "FERRY";
const [PUSHED, ...PULLED] = [91, 92, 93, 94].map((seed) =>
  syntheticStudy({ modality: "CT", rows: 8, columns: 8, instancesPerSeries: 2, seed }),
);
const canRun = requirePeer("initdb") && requirePeer("Orthanc") && requirePeer("openssl");

/** What comes to a port of this machine, on its way to another one. */
async function startTap(port: number) {
  const seen: Buffer[] = [];
  const server = createServer((client) => {
    const peer = connect(port, "127.0.0.1");
    client.on("data", (bytes) => seen.push(bytes));
    for (const socket of [client, peer]) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        client.destroy();
        peer.destroy();
      });
    }
    client.pipe(peer).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    bytes: () => Buffer.concat(seen),
    [Symbol.dispose]: () => void server.close(),
  };
}

describe.runIf(canRun)("gateways with one AE title that speak TLS, beside listeners that do not", () => {
  const opened = new AsyncDisposableStack();
  let site: Readonly<Record<NodeName | "orthanc" | "scanner" | "authority", TestCertificate>>;
  let two: TwoGateways;
  let tap: Awaited<ReturnType<typeof startTap>>;
  let balancerPort: number;
  let tlsPorts: Readonly<Record<NodeName, number>>;
  let north: Service;

  beforeAll(async () => {
    const { path: folder } = opened.use(await temporaryFolder());
    const authority = await makeCertificate(folder, "authority", { isAuthority: true });
    const signed = (name: string) => makeCertificate(folder, name, { authority });
    site = {
      authority,
      north: await signed("north"),
      east: await signed("east"),
      orthanc: await signed("orthanc"),
      scanner: await signed("scanner"),
    };
    const authoritiesFile = authority.certificateFile;
    tlsPorts = { north: await freePort(), east: await freePort() };
    balancerPort = opened.use(await startBalancer(Object.values(tlsPorts))).port;
    tap = opened.use(await startTap(tlsPorts.east));
    const orthanc = opened.use(
      await startOrthanc({
        aeTitle: "ORTHANC",
        moveDestinations: [{ aeTitle: TITLE, port: balancerPort }],
        tls: { ...site.orthanc, authoritiesFile, isMutual: true },
      }),
    );
    for (const { file } of PULLED.flatMap(({ instances }) => instances)) {
      const body = Buffer.from(file);
      const stored = await fetch(`http://127.0.0.1:${orthanc.httpPort}/instances`, { method: "POST", body });
      expect(stored.ok).toBe(true);
    }
    const filesOf = ({ certificateFile, keyFile }: TestCertificate) => ({ certificateFile, keyFile });
    const archive = { name: "orthanc", kind: "dimse", address: `ORTHANC@127.0.0.1:${orthanc.port}`, retrieve: "move" };
    two = opened.use(
      await makeTwoGateways(opened.use(await startPostgres()), () => ({
        archives: [{ ...archive, tls: { ...filesOf(site.north), authoritiesFile } }],
        intake: { quietSeconds: 1, longestSeconds: 20, rules: [{ name: "all", project: PROJECT }] },
        each: (name) => ({
          node: { sharedAeTitle: true, ...(name === "east" ? { port: tap.port } : {}) },
          dicom: {
            aeTitle: TITLE,
            tls: { ...filesOf(site[name]), clientAuthoritiesFile: authoritiesFile, port: tlsPorts[name] },
          },
        }),
      })),
    );
    north = opened.use(await two.open("north"));
    opened.use(await two.open("east"));
  }, 60_000);
  afterAll(() => opened.disposeAsync());

  const delivered = (count: number) => allDelivered(two, count);
  const passedTo = (name: NodeName) => two.lines.filter((line) => line.includes(`instance passed on ${name}`)).length;

  it("tell each other where they speak it, and are looked at by doctor", async () => {
    const nodes = await two.store.listNodes();
    expect(Object.fromEntries(nodes.map(({ name, address }) => [name, address]))).toEqual({
      east: `${TITLE}@127.0.0.1:${tap.port}`,
      north: `${TITLE}@127.0.0.1:${tlsPorts.north}`,
    });
    const { checks } = await north.gateway.operations.doctor();
    const [check] = checks.filter((one) => one.check.includes("our AE title"));
    expect(check).toMatchObject({ ok: true, message: expect.stringContaining("2 at work") });
  });

  it("pass images on by it, what C-MOVE sends and what is pushed, and nothing in the clear", async () => {
    await submitStudies(
      two,
      PULLED.map(({ studyInstanceUid }) => studyInstanceUid),
    );
    await delivered(PULLED.length);
    for (const { file, sopInstanceUid, sopClassUid } of PUSHED?.instances ?? []) {
      const path = join(two.folder, sopInstanceUid);
      await writeFile(path, file);
      const outgoing = await outgoingFromFile(path);
      await using association = await openAssociation({
        address: parseDicomAddress(`${TITLE}@127.0.0.1:${balancerPort}`),
        callingAeTitle: parseAeTitle("CT1"),
        contexts: [{ abstractSyntaxUid: sopClassUid, transferSyntaxUids: [outgoing.transferSyntaxUid] }],
        tls: { ...site.scanner, certificateAuthorities: site.authority.certificate },
      });
      expect(await association.store(outgoing)).toEqual({ status: 0 });
    }
    await delivered(PULLED.length + 1);
    expect(passedTo("east") + passedTo("north")).toBeGreaterThan(1);
    const bytes = tap.bytes();
    // A handshake's record of TLS 1.0 or later. RFC 8446 5.1.
    expect(bytes.subarray(0, 2)).toEqual(Buffer.from([22, 3]));
    // Every association request has it. PS3.8 9.3.2.
    expect(bytes.includes(TITLE)).toBe(false);
  }, 60_000);
});
