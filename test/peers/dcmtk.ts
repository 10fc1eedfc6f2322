import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { type RestartablePeer, type RunningPeer, startRestartableProgram, startServerProgram } from "./process.ts";

/** A dcmtk server that is ready for associations. */
export interface DcmtkServer extends RunningPeer {
  readonly aeTitle: string;
  readonly port: number;
}

export interface DcmqrscpServer extends DcmtkServer {
  readonly program: RestartablePeer;
}

export interface DcmqrscpOptions {
  readonly aeTitle: string;
  /** Its database: must exist. */
  readonly storageDir: string;
  /** AE titles it can C-MOVE to, and where they listen on this machine. */
  readonly moveDestinations?: readonly { readonly aeTitle: string; readonly port: number }[];
  /**
   * Storage contexts it takes and proposes, one for each: compressed objects then pass as they are. Without them it
   * proposes uncompressed syntaxes only.
   */
  readonly storageContexts?: readonly { readonly sopClassUid: string; readonly transferSyntaxUid: string }[];
}

/** An archive: C-ECHO, C-STORE, C-FIND, C-MOVE, C-GET over a folder. */
export async function startDcmqrscp(options: DcmqrscpOptions): Promise<DcmqrscpServer> {
  const { aeTitle, storageDir, moveDestinations = [], storageContexts } = options;
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
  const profileFile = join(folder, "profile.cfg");
  await writeFile(profileFile, storageContexts === undefined ? "" : associationProfiles(storageContexts));
  const profile = storageContexts === undefined ? [] : ["-xf", profileFile, "IN", "OUT"];
  const args = ["-ll", "warn", "-c", configurationFile, ...profile];
  const running = await startRestartableProgram("dcmqrscp", args, port, folder);
  const server = serverOf(running, aeTitle, port, () => rm(folder, { recursive: true, force: true }));
  return { ...server, program: running };
}

/** dcmtk's association configuration: what it accepts (IN) beside its services, what it proposes when it sends (OUT). */
function associationProfiles(storageContexts: Required<DcmqrscpOptions>["storageContexts"]): string {
  const classes = [...Map.groupBy(storageContexts, (one) => one.sopClassUid).keys()];
  const syntaxes = [...new Set(storageContexts.map((one) => one.transferSyntaxUid))];
  const numbered = (key: string, values: readonly string[]): string[] =>
    values.map((value, index) => `${key}${index + 1} = ${value}`);
  const proposed = storageContexts.map((one) => `${one.sopClassUid}\\Syntax${syntaxes.indexOf(one.transferSyntaxUid)}`);
  return [
    "[[TransferSyntaxes]]",
    "[AnySyntax]",
    ...numbered("TransferSyntax", syntaxes),
    ...syntaxes.flatMap((uid, index) => [`[Syntax${index}]`, `TransferSyntax1 = ${uid}`]),
    "[[PresentationContexts]]",
    "[Accepted]",
    ...numbered(
      "PresentationContext",
      classes.map((uid) => `${uid}\\AnySyntax`),
    ),
    "[Proposed]",
    ...numbered("PresentationContext", proposed),
    "[[SCPSCURoleSelection]]",
    "[Both]",
    ...numbered(
      "Role",
      classes.map((uid) => `${uid}\\BOTH`),
    ),
    "[[Profiles]]",
    "[IN]",
    "PresentationContexts = Accepted",
    "SCPSCURoleSelection = Both",
    "[OUT]",
    "PresentationContexts = Proposed",
    "",
  ].join("\n");
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
