import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import { type OrthancServer, startOrthanc } from "../../../test/peers/orthanc.ts";
import { findPeer, requirePeer } from "../../../test/peers/require-peer.ts";
import { startCuttingProxy } from "../../../test/support/cutting-proxy.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { parseAeTitle, parseDicomAddress } from "../../dicom/ae-title.ts";
import { openHttpClient } from "../../network/http-client/http-client.ts";
import { silentLogger } from "../../units/logger.ts";
import { systemRandom } from "../../units/random.ts";
import type { Destination } from "../destination.ts";
import { type DestinationScene, destinationContract, type SceneOptions } from "../destination-contract.testing.ts";
import { createDimseDestination } from "../dimse/dimse-destination.ts";
import { type Inspection, inspectionByUids } from "../inspection/inspection.ts";
import { createStowDestination } from "../stow/stow-destination.ts";
import { createOrthancDestination } from "./orthanc-destination.ts";

const hasPeers = requirePeer("Orthanc") && requirePeer("libOrthancDicomWeb.so");
/** Where the length of the file meta information stands, and where it counts from. PS3.10 7.1. */
const [META_LENGTH_AT, META_AT] = [140, 144];

let orthanc: OrthancServer;

beforeAll(async () => {
  if (!hasPeers) return;
  const Plugins = [findPeer("libOrthancDicomWeb.so")];
  orthanc = await startOrthanc({ aeTitle: "ORTHANC", configuration: { Plugins, OverwriteInstances: true } });
});
beforeEach(() => (hasPeers ? wipe() : undefined));
afterAll(() => (hasPeers ? orthanc[Symbol.asyncDispose]() : undefined));

async function asked(path: string, method = "GET"): Promise<Response> {
  return await fetch(`http://127.0.0.1:${orthanc.httpPort}${path}`, { method });
}

async function idsAt(path: string): Promise<readonly string[]> {
  const ids: readonly string[] = JSON.parse(await (await asked(path)).text());
  return ids;
}

async function wipe(): Promise<void> {
  for (const id of await idsAt("/studies")) await asked(`/studies/${id}`, "DELETE");
}

async function inspectListed(): Promise<Inspection> {
  return inspectionByUids(new Set((await instances()).keys()));
}

/** An archive writes file meta information of its own. */
function withoutMeta(file: Buffer): Buffer {
  return file.subarray(META_AT + file.readUInt32LE(META_LENGTH_AT));
}

async function instances(): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const id of await idsAt("/instances")) {
    const uid = (await (await asked(`/instances/${id}/content/SOPInstanceUID`)).text()).replaceAll(/[\0 ]/g, "");
    found.set(uid, withoutMeta(Buffer.from(await (await asked(`/instances/${id}/file`)).arrayBuffer())));
  }
  return found;
}

type Kind = (port: number) => Destination;

const client = (port: number, path = "") => openHttpClient({ baseUrl: `http://127.0.0.1:${port}${path}` });

const KINDS: Readonly<Record<"C-STORE" | "STOW-RS" | "REST", readonly [Kind, "port" | "httpPort"]>> = {
  "C-STORE": [
    (port) =>
      createDimseDestination({
        name: "store",
        address: parseDicomAddress(`ORTHANC@127.0.0.1:${port}`),
        callingAeTitle: parseAeTitle("RADFERRY"),
        connection: async () => ({}),
        logger: silentLogger,
      }),
    "port",
  ],
  "STOW-RS": [
    (port) => createStowDestination({ name: "store", client: client(port, "/dicom-web"), random: systemRandom }),
    "httpPort",
  ],
  REST: [(port) => createOrthancDestination({ name: "store", client: client(port), parallel: 2 }), "httpPort"],
};

async function sceneOf(
  [open, where]: readonly [Kind, "port" | "httpPort"],
  { cutAfterBytes = Number.POSITIVE_INFINITY }: SceneOptions,
): Promise<DestinationScene> {
  await using stack = new AsyncDisposableStack();
  const source = stack.use(await temporaryFolder());
  const proxy = stack.use(await startCuttingProxy(orthanc[where], cutAfterBytes));
  const destination = stack.use(open(proxy.port));
  const kept = stack.move();
  return {
    destination,
    folder: source.path,
    instances,
    wipe,
    kept: withoutMeta,
    inspect: inspectListed,
    mend: proxy.mend,
    cutAfter: proxy.cutAfter,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

describe.skipIf(!hasPeers).each(Object.keys(KINDS) as (keyof typeof KINDS)[])(
  "an Orthanc as destination by %s",
  (name) => {
    destinationContract((options) => sceneOf(KINDS[name], options), {
      canBeCut: true,
      seesChanges: false,
      isInspected: false,
      canRemove: name === "REST",
      takesFiles: false,
    });
  },
);
