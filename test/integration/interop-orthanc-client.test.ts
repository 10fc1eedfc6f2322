import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAeTitle } from "../../src/dicom/ae-title.ts";
import { startDimseServer } from "../../src/network/dimse/server.ts";
import { freePort } from "../peers/free-port.ts";
import { all, fidelities, receivedFrom, recordingStore } from "../peers/interop-fidelity.ts";
import { interopObjects, interopStudies } from "../peers/interop-objects.ts";
import { startOrthanc } from "../peers/orthanc.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { makeTransports, type TransportName } from "../peers/transports.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const canTls = requirePeer("openssl");
const TRANSPORTS: readonly TransportName[] = canTls ? ["plain", "TLS", "mutual TLS"] : ["plain"];

/** It writes deflated data sets and sequences anew. */
const BY_ORTHANC = all(interopObjects, "bytes", { deflated: "data set", "odd and empty values": "data set" });

describe.skipIf(!requirePeer("Orthanc")).each(TRANSPORTS)("Orthanc as our client over %s", (transport) => {
  const running = new AsyncDisposableStack();
  const { received, handler } = recordingStore();
  let call: (method: "GET" | "POST", path: string, body?: Uint8Array<ArrayBuffer> | object) => Promise<Response>;

  /** It takes a while to start: one for all. It knows a storage provider and an archive of ours. */
  beforeAll(async () => {
    const folder = running.use(await temporaryFolder()).path;
    const { ours, peers: tls } = canTls ? (await makeTransports(folder))[transport] : { ours: {}, peers: undefined };
    const server = await startDimseServer({
      host: "127.0.0.1",
      port: 0,
      aeTitle: parseAeTitle("RADFERRY"),
      handlers: { store: handler },
      ...ours.server,
    });
    running.use(server);
    const archivePort = await freePort();
    const moveDestinations = [
      { aeTitle: "RADFERRY", port: server.port },
      { aeTitle: "PRACTICE", port: archivePort },
    ];
    const orthanc = running.use(await startOrthanc({ aeTitle: "ORTHANC", moveDestinations, tls }));
    const destinations = [`ORTHANC@127.0.0.1:${orthanc.port}`];
    const studies = interopStudies(interopObjects);
    running.use(await startPracticeArchive({ studies, port: archivePort, destinations, settings: { ...ours.server } }));
    call = async (method, path, body) => {
      const sent = body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body);
      const response = await fetch(`http://127.0.0.1:${orthanc.httpPort}${path}`, { method, body: sent ?? null });
      expect([path, response.status]).toEqual([path, 200]);
      return response;
    };
  });
  afterAll(() => running.disposeAsync());

  async function ids(path: string): Promise<readonly string[]> {
    const list: unknown = await (await call("GET", path)).json();
    return Array.isArray(list) ? list.map(String) : [];
  }

  it("is echoed by both", async () => {
    await call("POST", "/modalities/destination0/echo", {});
    await call("POST", "/modalities/destination1/echo", {});
  });

  /** The path of a query that has found both studies. */
  async function queryStudies(): Promise<string> {
    const query = { Level: "Study", Query: { PatientName: "Interop*", StudyInstanceUID: "" } };
    const answer: unknown = await (await call("POST", "/modalities/destination1/query", query)).json();
    const path = new Map(Object.entries(answer ?? {})).get("Path");
    expect(await ids(`${path}/answers`)).toHaveLength(2);
    return String(path);
  }

  it("finds studies", async () => {
    await queryStudies();
  });

  // Our own provider moves to plain destinations only.
  if (transport === "plain") {
    it("retrieves studies by C-MOVE", async () => {
      await call("POST", `${await queryStudies()}/retrieve`, { TargetAet: "ORTHANC", Synchronous: true });
      const files = (await ids("/instances")).map(async (id) =>
        Buffer.from(await (await call("GET", `/instances/${id}/file`)).arrayBuffer()),
      );
      const stored = await receivedFrom(await Promise.all(files));
      expect(await fidelities(interopObjects, stored)).toEqual(BY_ORTHANC);
    });
  }

  it("stores every kind of object", async () => {
    for (const { file } of interopObjects) await call("POST", "/instances", new Uint8Array(file));
    const resources = await ids("/instances");
    await call("POST", "/modalities/destination0/store", { Resources: resources, Synchronous: true });
    expect(await fidelities(interopObjects, received)).toEqual(BY_ORTHANC);
  });
});
