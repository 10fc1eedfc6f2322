import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { type RunningPeer, runProgram, startServerProgram } from "./process.ts";
import { findPythonPeers } from "./python-peers.ts";
import type { PeerTls } from "./transports.ts";

const RUNNER = join(import.meta.dirname, "pynetdicom-app.py");
const COMMITMENT = join(import.meta.dirname, "pynetdicom-commitment.py");

export interface PynetdicomServer extends RunningPeer {
  readonly aeTitle: string;
  readonly port: number;
}

interface PynetdicomOptions {
  readonly tls?: PeerTls | undefined;
  /** As a requestor it names this user and asks for a positive response; as an acceptor it accepts this user alone. */
  readonly identity?: { readonly username: string; readonly passcode: string };
}

/** Clients of pynetdicom's own applications. */
type ClientApplication = "echoscu" | "findscu" | "getscu" | "movescu" | "storescu";

/** Runs a client of pynetdicom to its end; what it logs is the output. */
export function runPynetdicom(
  application: ClientApplication,
  args: readonly string[],
  cwd: string,
  options: PynetdicomOptions = {},
): ReturnType<typeof runProgram> {
  return runProgram(interpreter(), [RUNNER, JSON.stringify(options), application, ...args], cwd);
}

export interface PynetdicomStorescpOptions extends PynetdicomOptions {
  readonly aeTitle: string;
  readonly storageDir: string;
  readonly args?: readonly string[];
}

/** A storage SCP that decodes what it gets and writes it into a folder. */
export async function startPynetdicomStorescp(options: PynetdicomStorescpOptions): Promise<PynetdicomServer> {
  const { aeTitle, storageDir, args = [], tls, identity } = options;
  const port = await freePort();
  const fixed = ["-aet", aeTitle, "-ba", "127.0.0.1", "-od", storageDir];
  const command = [RUNNER, JSON.stringify({ tls, identity }), "storescp", ...fixed, ...args, String(port)];
  const running = await startServerProgram(interpreter(), command, port, storageDir);
  return { aeTitle, port, ...running };
}

/** A storage commitment SCP that commits to every instance but those whose UID ends with ".2". */
export async function startPynetdicomCommitment(options: {
  readonly aeTitle: string;
  /** Where results go: over the association that asked, or over one of its own to this port. */
  readonly report: "same" | number;
}): Promise<PynetdicomServer> {
  const { aeTitle, report } = options;
  const port = await freePort();
  const command = [COMMITMENT, String(port), aeTitle, String(report)];
  const running = await startServerProgram(interpreter(), command, port, tmpdir());
  return { aeTitle, port, ...running };
}

export interface PynetdicomQrscpOptions extends PynetdicomOptions {
  readonly aeTitle: string;
  /** Where it keeps its instances: must exist. */
  readonly storageDir: string;
  /** AE titles it can C-MOVE to, and where they listen on this machine. */
  readonly moveDestinations?: readonly { readonly aeTitle: string; readonly port: number }[];
}

/** An archive: C-ECHO, C-STORE, C-FIND, C-MOVE, C-GET over a folder and a database. */
export async function startPynetdicomQrscp(options: PynetdicomQrscpOptions): Promise<PynetdicomServer> {
  const { aeTitle, storageDir, moveDestinations = [], tls } = options;
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "qrscp-"));
  const configuration = [
    "[DEFAULT]",
    `ae_title: ${aeTitle}`,
    `port: ${port}`,
    "max_pdu: 65536",
    "acse_timeout: 30",
    "dimse_timeout: 30",
    "network_timeout: 30",
    "bind_address: 127.0.0.1",
    `instance_location: ${storageDir}`,
    `database_location: ${join(folder, "instances.sqlite")}`,
    ...moveDestinations.flatMap((one) => [`[${one.aeTitle}]`, "address: 127.0.0.1", `port: ${one.port}`]),
  ];
  const configurationFile = join(folder, "qrscp.ini");
  await writeFile(configurationFile, configuration.join("\n"));
  const command = [RUNNER, JSON.stringify({ tls }), "qrscp", "-c", configurationFile];
  const running = await startServerProgram(interpreter(), command, port, folder);
  return {
    aeTitle,
    port,
    output: running.output,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function interpreter(): string {
  const found = findPythonPeers();
  if (found === undefined) throw new Error("pynetdicom is not installed");
  return found;
}
