import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAeTitle } from "../../src/dicom/ae-title.ts";
import { openAssociation } from "../../src/network/dimse/association.ts";
import type { UserIdentity } from "../../src/network/dimse/service-types.ts";
import { storageContextsFor } from "../../src/network/dimse/storage-contexts.ts";
import { type DcmtkServer, startStorescp } from "../peers/dcmtk.ts";
import { all, fidelities, receivedIn } from "../peers/interop-fidelity.ts";
import { type InteropObject, interopObjects, objectNamed, outgoing } from "../peers/interop-objects.ts";
import { startPynetdicomStorescp } from "../peers/pynetdicom.ts";
import { requirePythonPeers } from "../peers/python-peers.ts";
import { requirePeer } from "../peers/require-peer.ts";
import {
  dcmtkServerArgs,
  makeTransports,
  type PeerTls,
  type TransportName,
  type Transports,
} from "../peers/transports.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const canTls = requirePeer("openssl");
const hasStorescp = requirePeer("storescp");
const hasPynetdicom = requirePythonPeers();
const TRANSPORTS: readonly TransportName[] = canTls ? ["plain", "TLS", "mutual TLS"] : ["plain"];

const running = new AsyncDisposableStack();
let folder: string;
let transports: Transports;
beforeAll(async () => {
  folder = running.use(await temporaryFolder()).path;
  if (canTls) transports = await makeTransports(folder);
});
afterAll(() => running.disposeAsync());

const SUCCESS = 0x0000;
const withoutPrivate = interopObjects.filter(({ name }) => name !== "private SOP class");
const large = objectNamed("4 MB");
const small = objectNamed("explicit VR little endian");

interface StorageScpKind {
  readonly name: string;
  readonly installed: boolean;
  start(storageDir: string, tls: PeerTls | undefined, args?: readonly string[]): Promise<DcmtkServer>;
  readonly objects: readonly InteropObject[];
  readonly expected: ReturnType<typeof all>;
  /** 0: as long as we like. */
  readonly pduLengths: readonly number[];
}

const KINDS: readonly StorageScpKind[] = [
  {
    name: "dcmtk's storescp",
    installed: hasStorescp,
    start: (storageDir, tls, args = []) =>
      startStorescp({ aeTitle: "STORESCP", storageDir, args: ["-pm", ...dcmtkServerArgs(tls), ...args] }),
    objects: interopObjects,
    expected: all(interopObjects, "bytes"),
    pduLengths: [4096, 131072],
  },
  {
    name: "pynetdicom's storescp",
    installed: hasPynetdicom,
    start: (storageDir, tls, args = []) => startPynetdicomStorescp({ aeTitle: "STORESCP", storageDir, tls, args }),
    objects: withoutPrivate,
    expected: all(withoutPrivate, "bytes"),
    pduLengths: [1024, 0],
  },
];

type Opened = Partial<Parameters<typeof openAssociation>[0]>;

function open(peer: DcmtkServer, objects: readonly InteropObject[], options: Opened = {}) {
  const [contexts = []] = storageContextsFor(objects);
  return openAssociation({
    address: { aeTitle: parseAeTitle(peer.aeTitle), host: "127.0.0.1", port: peer.port },
    callingAeTitle: parseAeTitle("RADFERRY"),
    contexts,
    ...options,
  });
}

/** Stores all over one association; the statuses, in order. */
async function storeAll(peer: DcmtkServer, objects: readonly InteropObject[], options: Opened = {}) {
  await using association = await open(peer, objects, options);
  const statuses: number[] = [];
  for (const object of objects) statuses.push((await association.store(outgoing(object))).status);
  return statuses;
}

async function folderFor(name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  return path;
}

describe.each(KINDS.filter(({ installed }) => installed))("our storage user at $name", (kind) => {
  it.each(TRANSPORTS)("stores every kind of object over %s", async (transport) => {
    const storageDir = await folderFor(`${kind.name} ${transport}`);
    await using peer = await kind.start(storageDir, transports?.[transport].peers);
    const statuses = await storeAll(peer, kind.objects, transports?.[transport].ours.client);
    expect(new Set(statuses)).toEqual(new Set([SUCCESS]));
    expect(await fidelities(kind.objects, await receivedIn(storageDir))).toEqual(kind.expected);
  });

  it.each(kind.pduLengths)("stores in PDUs of at most %i bytes", async (maximumPduLength) => {
    const storageDir = await folderFor(`${kind.name} ${maximumPduLength}`);
    await using peer = await kind.start(storageDir, undefined, ["--max-pdu", String(maximumPduLength)]);
    expect(await storeAll(peer, [large])).toEqual([SUCCESS]);
    expect(await fidelities([large], await receivedIn(storageDir))).toEqual(all([large], "bytes"));
  });

  it("learns of a peer that dies in the middle of an object", async () => {
    await using peer = await kind.start(await folderFor(`${kind.name} dies`), undefined);
    await using association = await open(peer, [large]);
    const stored = association.store({
      ...large,
      async *open() {
        yield large.bytes.subarray(0, large.bytes.length / 2);
        await peer[Symbol.asyncDispose]();
        yield large.bytes.subarray(large.bytes.length / 2);
      },
    });
    await expect(stored).rejects.toMatchObject({ code: "ASSOCIATION_ABORTED", details: { by: "transport" } });
  });
});

describe.skipIf(!hasPynetdicom)("pynetdicom's storescp", () => {
  it("accepts no private SOP class, and takes the others of the association", async () => {
    const storageDir = await folderFor("private");
    await using peer = await startPynetdicomStorescp({ aeTitle: "STORESCP", storageDir });
    await using association = await open(peer, interopObjects);
    const refused = association.store(outgoing(objectNamed("private SOP class")));
    await expect(refused).rejects.toMatchObject({ code: "NO_PRESENTATION_CONTEXT" });
    expect(await association.store(outgoing(large))).toEqual({ status: SUCCESS });
  });
});

describe.skipIf(!hasPynetdicom)("pynetdicom's storescp with users", () => {
  const identity = { username: "gateway", passcode: "correct horse" };
  const token = Buffer.from(identity.passcode);
  const own = new AsyncDisposableStack();
  let peer: DcmtkServer;
  beforeAll(async () => {
    const storageDir = await folderFor("users");
    peer = own.use(await startPynetdicomStorescp({ aeTitle: "STORESCP", storageDir, identity }));
  });
  afterAll(() => own.disposeAsync());

  it.each<readonly [string, UserIdentity]>([
    ["by name and passcode", { kind: "username-passcode", ...identity }],
    ["by a token, with a response", { kind: "jwt", token, positiveResponseRequested: true }],
  ])("accepts us %s", async (_, userIdentity) => {
    expect(await storeAll(peer, [small], { userIdentity })).toEqual([SUCCESS]);
  });

  it.each<readonly [string, UserIdentity]>([
    ["a wrong passcode", { kind: "username-passcode", ...identity, passcode: "battery staple" }],
    ["no passcode", { kind: "username", username: identity.username }],
    ["a wrong token", { kind: "jwt", token: Buffer.from("e30.e30.") }],
  ])("rejects %s, though not for good", async (_, userIdentity) => {
    const code = "ASSOCIATION_REJECTED_TRANSIENT";
    await expect(storeAll(peer, [small], { userIdentity })).rejects.toMatchObject({ code });
  });

  it("confirms tokens alone, however it is asked", async () => {
    const userIdentity = { kind: "username-passcode", ...identity, positiveResponseRequested: true } as const;
    const code = "USER_NOT_CONFIRMED";
    await expect(storeAll(peer, [small], { userIdentity })).rejects.toMatchObject({ code });
  });
});

describe.skipIf(!hasStorescp)("dcmtk's storescp", () => {
  it.each([
    ["--abort-during", "ASSOCIATION_ABORTED"],
    ["--abort-after", "ASSOCIATION_ABORTED"],
    ["--refuse", "ASSOCIATION_REJECTED"],
  ])("with %s is told as %s", async (option, code) => {
    await using peer = await startStorescp({
      aeTitle: "STORESCP",
      storageDir: await folderFor(option),
      args: [option],
    });
    await expect(storeAll(peer, [large])).rejects.toMatchObject({ code });
  });
});

describe.skipIf(!canTls || !hasStorescp)("a TLS port of dcmtk's storescp", () => {
  it.each<readonly [string, TransportName, (all: Transports) => Opened, string]>([
    ["without TLS", "TLS", () => ({}), "ASSOCIATION_ABORTED"],
    ["without the certificate it demands", "mutual TLS", (all) => all.TLS.ours.client ?? {}, "TLS_CERTIFICATE_REFUSED"],
    [
      "with an authority that did not sign its certificate",
      "TLS",
      (all) => ({ tls: { certificateAuthorities: all.TLS.ours.server?.tls.certificate ?? "" } }),
      "TLS_CERTIFICATE_UNTRUSTED",
    ],
  ])("cannot be used %s", async (_, transport, optionsOf, code) => {
    const storageDir = await folderFor(`refused ${_}`);
    const args = dcmtkServerArgs(transports[transport].peers);
    await using peer = await startStorescp({ aeTitle: "STORESCP", storageDir, args });
    await expect(storeAll(peer, [large], optionsOf(transports))).rejects.toMatchObject({ code });
    expect(await receivedIn(storageDir)).toEqual(new Map());
  });
});
