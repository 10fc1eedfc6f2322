import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, type RunningPeer, startServerProgram } from "./process.ts";
import { findPeer } from "./require-peer.ts";

export interface OrthancServer extends RunningPeer {
  readonly aeTitle: string;
  readonly port: number;
  readonly httpPort: number;
}

export interface OrthancOptions {
  readonly aeTitle: string;
  /** AE titles it can C-MOVE to, and where they listen on this machine. */
  readonly moveDestinations?: readonly { readonly aeTitle: string; readonly port: number }[];
  /** Further options of its configuration file. */
  readonly configuration?: Readonly<Record<string, unknown>>;
}

/** An empty Orthanc that anyone on this machine may use. */
export async function startOrthanc(options: OrthancOptions): Promise<OrthancServer> {
  const { aeTitle, moveDestinations = [] } = options;
  const [port, httpPort] = [await freePort(), await freePort()];
  const folder = await mkdtemp(join(tmpdir(), "orthanc-"));
  const configuration = {
    Name: "practice",
    DicomAet: aeTitle,
    DicomPort: port,
    DicomCheckCalledAet: false,
    DicomAlwaysAllowEcho: true,
    DicomAlwaysAllowStore: true,
    DicomAlwaysAllowFind: true,
    DicomAlwaysAllowGet: true,
    DicomAlwaysAllowMove: true,
    DicomModalities: Object.fromEntries(
      moveDestinations.map((one, index) => [`destination${index}`, [one.aeTitle, "127.0.0.1", one.port]]),
    ),
    HttpPort: httpPort,
    RemoteAccessAllowed: false,
    AuthenticationEnabled: false,
    StorageDirectory: join(folder, "storage"),
    Plugins: [],
    ...options.configuration,
  };
  const configurationFile = join(folder, "orthanc.json");
  await writeFile(configurationFile, JSON.stringify(configuration));
  const running = await startServerProgram(findPeer("Orthanc") ?? "Orthanc", [configurationFile], port, folder);
  return {
    aeTitle,
    port,
    httpPort,
    output: running.output,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
