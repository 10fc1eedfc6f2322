import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import type { Archive } from "../../src/archive/archive.ts";
import {
  ARCHIVE_CONTRACT,
  type ArchiveUnderTest,
  type KnownStudy,
} from "../../src/archive/archive-contract.testing.ts";
import { createPace } from "../../src/archive/availability/pace.ts";
import { createDicomWebArchive } from "../../src/archive/dicomweb/dicomweb-archive.ts";
import { createDimseArchive } from "../../src/archive/dimse/dimse-archive.ts";
import { receiveIntoStaging } from "../../src/archive/dimse/receive-instance.ts";
import { createExpectations } from "../../src/archive/expectations.ts";
import type { InstanceTaker } from "../../src/archive/http/staging-store.ts";
import { createOrthancArchive } from "../../src/archive/orthanc/orthanc-archive.ts";
import { createRad69Archive } from "../../src/archive/rad69/rad69-archive.ts";
import { createRefusals } from "../../src/archive/refusals.ts";
import { parseAeTitle } from "../../src/dicom/ae-title.ts";
import { startDimseServer } from "../../src/network/dimse/server.ts";
import type { StoreHandler } from "../../src/network/dimse/service-types.ts";
import { openHttpClient } from "../../src/network/http-client/http-client.ts";
import { fileSource } from "../../src/network/ihe/responder/file-source.ts";
import { type Responder, startRad69Responder } from "../../src/network/ihe/responder/responder.ts";
import { storeInOrthanc } from "../../src/network/rest/orthanc/resources.ts";
import { openStagingArea } from "../../src/staging/open-staging.ts";
import { neverAborted } from "../../src/units/abort.ts";
import { systemClock } from "../../src/units/clock.ts";
import { systemDisk } from "../../src/units/disk.ts";
import { silentLogger } from "../../src/units/logger.ts";
import { systemRandom } from "../../src/units/random.ts";
import { emptyOrthanc, introduceModality, type OrthancServer, startOrthanc } from "../peers/orthanc.ts";
import { findPeer, requirePeer } from "../peers/require-peer.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const OURS = parseAeTitle("RADFERRY");
const STUDIES = [
  syntheticStudy({ seed: 501, modality: "CT", series: 2, instancesPerSeries: 4, rows: 64, columns: 64 }),
  syntheticStudy({ seed: 502, modality: "MR", series: 1, instancesPerSeries: 3, rows: 32, columns: 32 }),
];

const isInstalled = [requirePeer("Orthanc"), requirePeer("libOrthancDicomWeb.so")].every(Boolean);

/** What an archive needs to be opened at the Orthanc of this file. */
interface Parts {
  readonly server: OrthancServer;
  readonly source: Responder;
  /** Another Orthanc, empty, that knows the archive as `pacs`. */
  readonly fetcher: () => Promise<OrthancServer>;
  readonly taker: InstanceTaker;
  readonly store: StoreHandler;
}

type Open = (parts: Parts) => Archive | Promise<Archive>;

const dimse =
  (retrieve: "move" | "get"): Open =>
  ({ server, taker, store }) =>
    createDimseArchive({
      name: retrieve,
      address: { aeTitle: parseAeTitle("ORTHANC"), host: "127.0.0.1", port: server.port },
      retrieve,
      associations: 2,
      callingAeTitle: OURS,
      expectations: taker.expectations,
      store,
      quietMs: 2_000,
      silenceMs: 20_000,
      clock: systemClock,
      logger: silentLogger,
    });

const orthanc = ({ server, taker }: Parts): Archive =>
  createOrthancArchive({
    name: "orthanc",
    client: openHttpClient({ baseUrl: `http://127.0.0.1:${server.httpPort}` }),
    associations: 2,
    taker,
  });

const throughOrthanc: Open = async ({ fetcher, taker }) =>
  createOrthancArchive({
    name: "fetcher",
    client: openHttpClient({ baseUrl: `http://127.0.0.1:${(await fetcher()).httpPort}` }),
    associations: 2,
    taker,
    modality: "pacs",
  });

/** The same studies at an imaging document source of ours, searched at the Orthanc. */
const rad69: Open = (parts) =>
  createRad69Archive({
    name: "rids",
    client: { http: openHttpClient({ baseUrl: parts.source.url }), url: parts.source.url },
    associations: 2,
    taker: parts.taker,
    searched: orthanc(parts),
  });

const KINDS: readonly (readonly [name: string, open: Open])[] = [
  ["C-MOVE", dimse("move")],
  ["C-GET", dimse("get")],
  [
    "DICOMweb",
    ({ server, taker }) =>
      createDicomWebArchive({
        name: "web",
        client: openHttpClient({ baseUrl: `http://127.0.0.1:${server.httpPort}/dicom-web` }),
        associations: 2,
        taker,
      }),
  ],
  ["Orthanc's own interface", orthanc],
  ["an Orthanc that fetches from it", throughOrthanc],
  ["RAD-69", rad69],
];

describe.skipIf(!isInstalled).each(KINDS)("an archive asked by %s", (_, open) => {
  const running = new AsyncDisposableStack();
  let server: OrthancServer;
  let source: Responder;
  let fetching: OrthancServer | undefined;
  let known: readonly [KnownStudy, ...KnownStudy[]];
  /** Where the moved instances of the case that runs go. */
  let store: StoreHandler;

  beforeAll(async () => {
    const listener = running.use(
      await startDimseServer({
        host: "127.0.0.1",
        port: 0,
        aeTitle: OURS,
        handlers: { store: (instance, signal) => store(instance, signal) },
      }),
    );
    server = running.use(
      await startOrthanc({
        aeTitle: "ORTHANC",
        moveDestinations: [{ aeTitle: OURS, port: listener.port }],
        configuration: { Plugins: [findPeer("libOrthancDicomWeb.so")], DicomWeb: { Enable: true } },
      }),
    );
    await using client = openHttpClient({ baseUrl: `http://127.0.0.1:${server.httpPort}` });
    for (const { file } of STUDIES.flatMap(({ instances }) => instances)) {
      await storeInOrthanc(client, () => oncePiece(file), neverAborted());
    }
    const { path } = running.use(await temporaryFolder());
    const files = STUDIES.flatMap(({ instances }) => instances).map(async ({ sopInstanceUid, file }) => {
      await writeFile(join(path, `${sopInstanceUid}.dcm`), file);
      return join(path, `${sopInstanceUid}.dcm`);
    });
    source = running.use(await startRad69Responder({ source: await fileSource(await Promise.all(files)) }));
    const [first, ...others] = STUDIES.map(knownStudy);
    if (first === undefined) throw new Error("no studies");
    known = [first, ...others];
  });
  afterAll(() => running.disposeAsync());

  const fetcher = async (): Promise<OrthancServer> => {
    if (fetching === undefined) {
      fetching = running.use(await startOrthanc({ aeTitle: "FETCHER" }));
      await introduceModality(fetching, "pacs", server);
      await introduceModality(server, "fetcher", fetching);
    }
    await emptyOrthanc(fetching);
    return fetching;
  };

  it.each(Object.entries(ARCHIVE_CONTRACT))("%s", async (_title, run) => {
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(await temporaryFolder());
    const staging = stack.use(await openStagingArea({ path, reserveBytes: 0, disk: systemDisk, logger: silentLogger }));
    const expectations = createExpectations(systemClock);
    const refusals = createRefusals();
    const pace = createPace(systemClock);
    const taker = { staging, expectations, refusals, pace, clock: systemClock, random: systemRandom };
    store = receiveIntoStaging({ staging, expectations, refusals, logger: silentLogger });
    const archive = stack.use(await open({ server, source, fetcher, taker, store }));
    const under: ArchiveUnderTest = { archive, staging, studies: known };
    await run(under);
  });
});

function knownStudy({ studyInstanceUid, patientId, accessionNumber, instances }: (typeof STUDIES)[number]): KnownStudy {
  return {
    studyInstanceUid,
    patientId,
    accessionNumber,
    instances: instances.map(({ seriesInstanceUid, sopInstanceUid, bytes }) => ({
      seriesInstanceUid,
      sopInstanceUid,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    })),
  };
}

async function* oncePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
