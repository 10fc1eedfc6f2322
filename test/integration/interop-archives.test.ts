import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDimseArchive } from "../../src/archive/dimse/dimse-archive.ts";
import { createExpectations } from "../../src/archive/expectations.ts";
import { type DicomAddress, parseAeTitle } from "../../src/dicom/ae-title.ts";
import { tagOfKeyword } from "../../src/dicom/dictionary/dictionary.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { parseStudyInstanceUid } from "../../src/dicom/uid.ts";
import { dataSetOf, textElement, textOf } from "../../src/dicom/values.ts";
import { openAssociation } from "../../src/network/dimse/association.ts";
import type { Connection } from "../../src/network/dimse/connection.ts";
import { startDimseServer } from "../../src/network/dimse/server.ts";
import { QUERY_RETRIEVE_SOP_CLASSES, VERIFICATION_SOP_CLASS } from "../../src/network/dimse/service-classes.ts";
import type { InformationModel, ProposedContext } from "../../src/network/dimse/service-types.ts";
import { IDENTIFIER_TRANSFER_SYNTAXES, storageContextsFor } from "../../src/network/dimse/storage-contexts.ts";
import { systemClock } from "../../src/units/clock.ts";
import { silentLogger } from "../../src/units/logger.ts";
import { type DcmtkServer, startDcmqrscp } from "../peers/dcmtk.ts";
import { all, fidelities, recordingStore } from "../peers/interop-fidelity.ts";
import { type InteropObject, interopObjects, objectNamed, outgoing } from "../peers/interop-objects.ts";
import { startOrthanc } from "../peers/orthanc.ts";
import { startPynetdicomQrscp } from "../peers/pynetdicom.ts";
import { requirePythonPeers } from "../peers/python-peers.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { makeTransports, type PeerTls, type TransportName } from "../peers/transports.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

type Keys = Readonly<Record<string, string>>;

interface ArchivePlan {
  readonly aeTitle: string;
  readonly storageDir: string;
  readonly moveDestinations: readonly { readonly aeTitle: string; readonly port: number }[];
  readonly tls: PeerTls | undefined;
}

interface ArchiveKind {
  readonly name: string;
  readonly installed: boolean;
  readonly transports: readonly TransportName[];
  start(plan: ArchivePlan): Promise<DcmtkServer>;
  /** What it takes. */
  readonly objects: readonly InteropObject[];
  /** How they come back where a context is proposed for each class and syntax of theirs. */
  readonly returned: ReturnType<typeof all>;
  /** How they come back over the contexts that a gateway proposes, which knows their classes only. */
  readonly fetched: ReturnType<typeof all>;
  /** Its status for a C-MOVE to an AE title it does not know. */
  readonly unknownDestination: number;
}

const canTls = requirePeer("openssl");
const TRANSPORTS: readonly TransportName[] = canTls ? ["plain", "TLS", "mutual TLS"] : ["plain"];
/** Sub-operations complete, with failures. PS3.4 table C.4-3. */
const [SUCCESS, WARNING] = [0x0000, 0xb000];
const OURS = parseAeTitle("RADFERRY");

const withoutPrivate = interopObjects.filter(({ name }) => name !== "private SOP class");

const KINDS: readonly ArchiveKind[] = [
  {
    name: "dcmtk's dcmqrscp",
    installed: requirePeer("dcmqrscp"),
    transports: ["plain"],
    start: (plan) => startDcmqrscp({ ...plan, storageContexts: interopObjects }),
    objects: withoutPrivate,
    returned: all(withoutPrivate, "bytes", {
      "explicit VR big endian": "converted",
      deflated: "converted",
      "odd and empty values": "data set",
    }),
    fetched: all(withoutPrivate, "bytes", {
      "implicit VR little endian": "converted",
      "explicit VR big endian": "converted",
      deflated: "converted",
      "odd and empty values": "data set",
    }),
    unknownDestination: 0xa801,
  },
  {
    name: "Orthanc",
    installed: requirePeer("Orthanc"),
    transports: TRANSPORTS,
    start: startOrthanc,
    objects: interopObjects,
    returned: all(interopObjects, "bytes", { deflated: "data set", "odd and empty values": "data set" }),
    fetched: all(interopObjects, "bytes", {
      "explicit VR big endian": "converted",
      deflated: "converted",
      "odd and empty values": "data set",
    }),
    // Unable to process: it does not say why.
    unknownDestination: 0xc000,
  },
  {
    name: "pynetdicom's qrscp",
    installed: requirePythonPeers(),
    transports: TRANSPORTS,
    start: startPynetdicomQrscp,
    objects: withoutPrivate,
    returned: all(withoutPrivate, "bytes", { deflated: "data set" }),
    fetched: all(withoutPrivate, "bytes", { deflated: "converted" }),
    unknownDestination: 0xa801,
  },
];

const ROWS = KINDS.filter(({ installed }) => installed).flatMap((kind) =>
  kind.transports.map((transport) => ({ ...kind, transport })),
);

describe.each(ROWS)("our user at $name over $transport", ({ transport, start, ...archive }) => {
  const { objects, returned, fetched, unknownDestination } = archive;
  const running = new AsyncDisposableStack();
  const moves = recordingStore();
  let open: (contexts: readonly ProposedContext[]) => ReturnType<typeof openAssociation>;
  let address: DicomAddress;
  let connection: Connection;

  /** An archive takes a while to start: one for all, filled by our own C-STORE. */
  beforeAll(async () => {
    const folder = running.use(await temporaryFolder()).path;
    const storageDir = join(folder, "storage");
    await mkdir(storageDir);
    const { ours, peers: tls } = canTls ? (await makeTransports(folder))[transport] : { ours: {}, peers: undefined };
    const server = running.use(
      await startDimseServer({
        host: "127.0.0.1",
        port: 0,
        aeTitle: OURS,
        handlers: { store: moves.handler },
        ...ours.server,
      }),
    );
    const moveDestinations = [{ aeTitle: OURS, port: server.port }];
    const peer = running.use(await start({ aeTitle: "ARCHIVE", storageDir, moveDestinations, tls }));
    address = { aeTitle: parseAeTitle(peer.aeTitle), host: "127.0.0.1", port: peer.port };
    connection = { ...ours.client };
    open = (contexts) => openAssociation({ address, callingAeTitle: OURS, contexts, ...connection });
    await using association = await open(contextsOf(objects));
    for (const object of objects) expect(await association.store(outgoing(object))).toEqual({ status: SUCCESS });
  });
  afterAll(() => running.disposeAsync());

  it("echoes", async () => {
    await using association = await open([contextFor(VERIFICATION_SOP_CLASS)]);
    await association.echo();
  });

  it.each<InformationModel>(["study-root", "patient-root"])("finds at every level of %s", async (model) => {
    await using association = await open([contextFor(QUERY_RETRIEVE_SOP_CLASSES[model].find)]);
    const [first] = objects;
    /** Distinct values of the key: qrscp answers once for each instance. */
    const found = async (level: string, key: keyof typeof tags, keys: Keys = {}): Promise<number> => {
      const patient = model === "patient-root" && level !== "PATIENT" ? { PatientID: "INTEROP1" } : {};
      const identifier = identifierOf(level, { ...patient, ...keys, [key]: "" });
      const answers = await Array.fromAsync(association.find({ model, identifier }));
      return new Set(answers.map((answer) => textOf(answer, tags[key]))).size;
    };
    const study = { StudyInstanceUID: first?.studyInstanceUid ?? "" };
    const series = { ...study, SeriesInstanceUID: first?.seriesInstanceUid ?? "" };
    const ofStudy = objects.filter((object) => object.studyInstanceUid === first?.studyInstanceUid);
    if (model === "patient-root") expect(await found("PATIENT", "PatientID")).toBe(2);
    else expect(await found("STUDY", "StudyInstanceUID")).toBe(2);
    expect(await found("SERIES", "SeriesInstanceUID", study)).toBe(ofStudy.length);
    expect(await found("IMAGE", "SOPInstanceUID", series)).toBe(1);
  });

  it("stops a query early, and asks on over the same association", async () => {
    await using association = await open([contextFor(QUERY_RETRIEVE_SOP_CLASSES["study-root"].find)]);
    const identifier = identifierOf("STUDY", { StudyInstanceUID: "" });
    for await (const _ of association.find({ model: "study-root", identifier })) break;
    const answers = await Array.fromAsync(association.find({ model: "study-root", identifier }));
    expect(answers.length).toBeGreaterThanOrEqual(2);
  });

  it("moves everything to our own provider", async () => {
    await using association = await open([contextFor(QUERY_RETRIEVE_SOP_CLASSES["study-root"].move)]);
    for (const { identifier, count } of studiesOf(objects)) {
      const result = await association.move({ model: "study-root", identifier, destination: OURS });
      expect(result).toMatchObject({ status: SUCCESS, completed: count, failed: 0, failedSopInstanceUids: [] });
    }
    expect(await fidelities(objects, moves.received)).toEqual(returned);
  });

  it("learns that a move destination is unknown", async () => {
    await using association = await open([contextFor(QUERY_RETRIEVE_SOP_CLASSES["study-root"].move)]);
    const [{ identifier } = { identifier: dataSetOf([]) }] = studiesOf(objects);
    const destination = parseAeTitle("NOBODY");
    const { status } = await association.move({ model: "study-root", identifier, destination });
    expect(status).toBe(unknownDestination);
  });

  it("gets everything over one association", async () => {
    const storage = contextsOf(objects).map((context) => ({ ...context, role: "scp" as const }));
    await using association = await open([contextFor(QUERY_RETRIEVE_SOP_CLASSES["study-root"].get), ...storage]);
    const { received, handler } = recordingStore();
    const counts = { completed: 0, failed: 0 };
    for (const { identifier } of studiesOf(objects)) {
      const { completed = 0, failed = 0, status } = await association.get({ model: "study-root", identifier }, handler);
      expect(status).toBe(failed === 0 ? SUCCESS : WARNING);
      counts.completed += completed;
      counts.failed += failed;
    }
    expect(counts).toEqual({ completed: received.size, failed: objects.length - received.size });
    expect(await fidelities(objects, received)).toEqual(returned);
  });

  it("gives a gateway everything, knowing its SOP classes only", async () => {
    const { received, handler } = recordingStore();
    await using gateway = createDimseArchive({
      name: "archive",
      address,
      retrieve: "get",
      associations: 1,
      callingAeTitle: OURS,
      connection: async () => connection,
      expectations: createExpectations(systemClock),
      store: handler,
      quietMs: 100,
      silenceMs: 60_000,
      clock: systemClock,
      logger: silentLogger,
    });
    const sopClassUids = objects.map(({ sopClassUid }) => sopClassUid);
    for (const { uid, count } of studiesOf(objects)) {
      const request = { studyInstanceUid: parseStudyInstanceUid(uid), sopClassUids };
      const outcome = await gateway.retrieve(request, new AbortController().signal);
      expect(outcome).toMatchObject({ completed: count, failed: 0 });
    }
    expect(await fidelities(objects, received)).toEqual(fetched);
  });
});

/** One for each SOP class and transfer syntax: whatever is stored can pass as it is. */
function contextsOf(objects: readonly InteropObject[]): readonly ProposedContext[] {
  const [contexts = []] = storageContextsFor(objects);
  return contexts;
}

describe.skipIf(!requirePeer("dcmqrscp"))("dcmtk's dcmqrscp", () => {
  it("refuses a private SOP class with a status, though it accepted the context", async () => {
    await using folder = await temporaryFolder();
    await using peer = await startDcmqrscp({
      aeTitle: "ARCHIVE",
      storageDir: folder.path,
      storageContexts: interopObjects,
    });
    const object = objectNamed("private SOP class");
    await using association = await openAssociation({
      address: { aeTitle: parseAeTitle(peer.aeTitle), host: "127.0.0.1", port: peer.port },
      callingAeTitle: OURS,
      contexts: contextsOf([object]),
    });
    expect(await association.store(outgoing(object))).toEqual({ status: 0x0122 });
  });
});

function contextFor(abstractSyntaxUid: string): ProposedContext {
  return { abstractSyntaxUid, transferSyntaxUids: IDENTIFIER_TRANSFER_SYNTAXES };
}

function identifierOf(level: string, keys: Keys) {
  const elements = Object.entries(keys).map(([keyword, value]) =>
    textElement(tagOfKeyword(keyword) ?? tags.PatientID, value),
  );
  return dataSetOf([textElement(tags.QueryRetrieveLevel, level, "CS"), ...elements]);
}

function studiesOf(objects: readonly InteropObject[]) {
  return [...Map.groupBy(objects, ({ studyInstanceUid }) => studyInstanceUid)].map(([uid, ofStudy]) => ({
    uid,
    identifier: identifierOf("STUDY", { StudyInstanceUID: uid }),
    count: ofStudy.length,
  }));
}
