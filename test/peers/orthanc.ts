import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { type RunningPeer, startServerProgram } from "./process.ts";
import { findPeer } from "./require-peer.ts";
import type { PeerTls } from "./transports.ts";

/** It takes seconds to end in order, and nothing of it is kept. */
const GRACE_MS = 50;

export interface OrthancServer extends RunningPeer {
  readonly aeTitle: string;
  readonly port: number;
  readonly httpPort: number;
  readonly pid: number;
  /** Ends it as a power cut would; what it has stored stays. */
  kill(): Promise<void>;
  /** Starts it again on the same ports, with what it had stored. */
  start(): Promise<void>;
}

export interface OrthancOptions {
  readonly aeTitle: string;
  /** AE titles it can C-MOVE to, and where they listen on this machine. */
  readonly moveDestinations?: readonly { readonly aeTitle: string; readonly port: number }[];
  /** Present: it speaks TLS only, with its move destinations too. */
  readonly tls?: PeerTls | undefined;
  /** Further options of its configuration file. */
  readonly configuration?: Readonly<Record<string, unknown>>;
}

/** An empty Orthanc that anyone on this machine may use. */
export async function startOrthanc(options: OrthancOptions): Promise<OrthancServer> {
  const { aeTitle, moveDestinations = [], tls } = options;
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
      moveDestinations.map(({ aeTitle: AET, port: Port }, index) => [
        `destination${index}`,
        { AET, Host: "127.0.0.1", Port, UseDicomTls: tls !== undefined },
      ]),
    ),
    UnknownSopClassAccepted: true,
    ...(tls !== undefined && tlsConfiguration(tls)),
    HttpPort: httpPort,
    RemoteAccessAllowed: false,
    AuthenticationEnabled: false,
    StorageDirectory: join(folder, "storage"),
    Plugins: [],
    ...options.configuration,
  };
  const configurationFile = join(folder, "orthanc.json");
  await writeFile(configurationFile, JSON.stringify(configuration));
  const program = findPeer("Orthanc") ?? "Orthanc";
  // It listens for HTTP last.
  const start = () => startServerProgram(program, [configurationFile], httpPort, folder, GRACE_MS);
  let running = await start();
  return {
    aeTitle,
    port,
    httpPort,
    get pid() {
      return running.pid;
    },
    output: () => running.output(),
    kill: () => running.kill(),
    async start() {
      running = await start();
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Has an Orthanc know a peer on this machine as a modality of that name. */
export async function introduceModality(
  orthanc: OrthancServer,
  name: string,
  peer: { readonly aeTitle: string; readonly port: number },
  login?: { readonly username: string; readonly password: string },
): Promise<void> {
  const body = JSON.stringify({ AET: peer.aeTitle, Host: "127.0.0.1", Port: peer.port });
  const credentials = Buffer.from(`${login?.username}:${login?.password}`).toString("base64");
  const headers = login === undefined ? {} : { authorization: `Basic ${credentials}` };
  await answered(fetch(`${urlOf(orthanc)}/modalities/${name}`, { method: "PUT", body, headers }));
}

/** Deletes all that an Orthanc holds. */
export async function emptyOrthanc(orthanc: OrthancServer): Promise<void> {
  const patients = (await (await answered(fetch(`${urlOf(orthanc)}/patients`))).json()) as readonly string[];
  for (const patient of patients) await answered(fetch(`${urlOf(orthanc)}/patients/${patient}`, { method: "DELETE" }));
}

function urlOf({ httpPort }: OrthancServer): string {
  return `http://127.0.0.1:${httpPort}`;
}

async function answered(asked: Promise<Response>): Promise<Response> {
  const response = await asked;
  if (!response.ok) throw new Error(`Orthanc answered ${response.status}`);
  return response;
}

function tlsConfiguration(tls: PeerTls): Readonly<Record<string, string | boolean>> {
  return {
    DicomTlsEnabled: true,
    DicomTlsPrivateKey: tls.keyFile,
    DicomTlsCertificate: tls.certificateFile,
    DicomTlsTrustedCertificates: tls.authoritiesFile,
    DicomTlsRemoteCertificateRequired: tls.isMutual,
  };
}
