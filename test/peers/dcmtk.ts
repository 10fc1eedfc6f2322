import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, type RunningPeer, startServerProgram } from "./process.ts";

/** A dcmtk server that is ready for associations. */
export interface DcmtkServer extends RunningPeer {
  readonly aeTitle: string;
  readonly port: number;
}

export interface DcmqrscpOptions {
  readonly aeTitle: string;
  /** Its database: must exist. */
  readonly storageDir: string;
  /** AE titles it can C-MOVE to, and where they listen on this machine. */
  readonly moveDestinations?: readonly { readonly aeTitle: string; readonly port: number }[];
  readonly args?: readonly string[];
}

/** An archive: C-ECHO, C-STORE, C-FIND, C-MOVE, C-GET over a folder. */
export async function startDcmqrscp(options: DcmqrscpOptions): Promise<DcmtkServer> {
  const { aeTitle, storageDir, moveDestinations = [], args = [] } = options;
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "dcmqrscp-"));
  const configuration = [
    `NetworkTCPPort = ${port}`,
    "MaxPDUSize = 131072",
    "MaxAssociations = 64",
    "HostTable BEGIN",
    ...moveDestinations.map((one, index) => `destination${index} = (${one.aeTitle}, 127.0.0.1, ${one.port})`),
    "HostTable END",
    "VendorTable BEGIN",
    "VendorTable END",
    "AETable BEGIN",
    `${aeTitle} ${storageDir} RW (10000, 16384mb) ANY`,
    "AETable END",
    "",
  ].join("\n");
  const configurationFile = join(folder, "dcmqrscp.cfg");
  await writeFile(configurationFile, configuration);
  const running = await startServerProgram("dcmqrscp", ["-ll", "warn", "-c", configurationFile, ...args], port, folder);
  return serverOf(running, aeTitle, port, () => rm(folder, { recursive: true, force: true }));
}

export interface StorescpOptions {
  readonly aeTitle: string;
  readonly storageDir: string;
  readonly args?: readonly string[];
}

/** A storage SCP that writes what it gets into a folder, as received. */
export async function startStorescp({ aeTitle, storageDir, args = [] }: StorescpOptions): Promise<DcmtkServer> {
  const port = await freePort();
  const fixed = ["-ll", "warn", "-aet", aeTitle, "-od", storageDir, "+B", "+xa"];
  const running = await startServerProgram("storescp", [...fixed, ...args, String(port)], port, storageDir);
  return serverOf(running, aeTitle, port, async () => {});
}

function serverOf(running: RunningPeer, aeTitle: string, port: number, cleanUp: () => Promise<void>): DcmtkServer {
  return {
    aeTitle,
    port,
    output: running.output,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await cleanUp();
    },
  };
}
