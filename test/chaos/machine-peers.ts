import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LedgerEntry } from "../../src/store/records.ts";
import { startDcmqrscp } from "../peers/dcmtk.ts";
import { introduceModality, type OrthancServer, startOrthanc } from "../peers/orthanc.ts";
import { runProgram } from "../peers/process.ts";
import { findPeer } from "../peers/require-peer.ts";
import { startS3Server } from "../peers/s3-server.ts";
import { startSshd } from "../peers/sshd.ts";
import type { SyntheticStudy } from "../peers/synthetic-studies.ts";
import { type Held, heldInFolder, heldInOrthanc } from "./evidence.ts";
import type { Fault } from "./fault-proxy.ts";
import { load } from "./rehearse.ts";
import { signalAll } from "./signals.ts";
import { S3_KEY_FILE, s3Destination, sftpDestination } from "./world.ts";

export type ArchiveWay = "move" | "get" | "dicomweb" | "orthanc" | "dcmqrscp-move" | "dcmqrscp-get";
export type StoreKind = "dimse" | "dicomweb" | "orthanc" | "s3" | "sftp";

type PeerSettings = Readonly<Record<string, unknown>>;

/** A server program that a study needs on its way. */
export interface Machine {
  readonly pid: number;
  /** SIGKILL, until it is gone. */
  kill(): Promise<void>;
  /** With what it had. */
  start(): Promise<void>;
}

interface AnyPeer {
  readonly machine: Machine;
  /** Where it is spoken to. */
  readonly port: number;
  /** What makes the way to it long enough for something to happen in its middle. */
  readonly slow: Fault;
  /** @param port its own, or that of a proxy in front of it */
  settings(port: number): PeerSettings;
}

export interface ArchivePeer extends AnyPeer {
  load(study: SyntheticStudy): Promise<void>;
}

export interface StorePeer extends AnyPeer {
  held(project: string, ledger: readonly LedgerEntry[]): Promise<Held>;
}

/** With each process that it has started for a connection. */
export async function killMachine(machine: Machine): Promise<void> {
  signalAll(machine.pid, "SIGKILL");
  await machine.kill();
}

/** The gateway, as an archive that sends to it knows it. */
interface Receiver {
  readonly aeTitle: string;
  readonly port: number;
}

export interface PeerPlace {
  readonly opened: AsyncDisposableStack;
  readonly folder: string;
}

const ORTHANC_CONFIGURATION = {
  Plugins: [findPeer("libOrthancDicomWeb.so")],
  DicomWeb: { Enable: true },
  DicomModalitiesInDatabase: true,
};
const SLOW: Fault = { kind: "slow" };

export async function openArchive(way: ArchiveWay, place: PeerPlace, receiver: Receiver): Promise<ArchivePeer> {
  if (way === "dcmqrscp-move" || way === "dcmqrscp-get") return await openDcmqrscp(way, place, receiver);
  const orthanc = place.opened.use(await startOrthanc({ aeTitle: "ARCHIVE", configuration: ORTHANC_CONFIGURATION }));
  await introduceModality(orthanc, receiver.aeTitle.toLowerCase(), receiver);
  const isDimse = way === "move" || way === "get";
  return {
    machine: orthanc,
    port: isDimse ? orthanc.port : orthanc.httpPort,
    slow: SLOW,
    settings: ARCHIVE_SETTINGS[way],
    load: (study) => load(orthanc, study),
  };
}

async function openDcmqrscp(
  way: "dcmqrscp-move" | "dcmqrscp-get",
  { opened, folder }: PeerPlace,
  receiver: Receiver,
): Promise<ArchivePeer> {
  const storageDir = join(folder, "dcmqrscp");
  await mkdir(storageDir);
  const options = { aeTitle: "ARCHIVE", storageDir, moveDestinations: [receiver] };
  const { port, program } = opened.use(await startDcmqrscp(options));
  return {
    ...{ machine: program, port },
    // In the middle of the images for C-GET; else of what it answers to C-FIND and C-MOVE.
    slow: way === "dcmqrscp-get" ? { kind: "slow", afterBytes: 20_000 } : SLOW,
    settings: ARCHIVE_SETTINGS[way],
    async load({ instances }) {
      const files = instances.map(({ sopInstanceUid }) => join(folder, `${sopInstanceUid}.dcm`));
      for (const [index, { file }] of instances.entries()) await writeFile(files[index] ?? "", file);
      const args = ["-aec", "ARCHIVE", "127.0.0.1", String(port), ...files];
      const { exitCode, output } = await runProgram("storescu", args, folder);
      if (exitCode !== 0) throw new Error(output);
    },
  };
}

const dimseArchive = (retrieve: "move" | "get") => {
  return (port: number): PeerSettings => ({ kind: "dimse", address: `ARCHIVE@127.0.0.1:${port}`, retrieve });
};
const dicomweb = (port: number): PeerSettings => ({ kind: "dicomweb", url: `http://127.0.0.1:${port}/dicom-web` });
const orthancRest = (port: number): PeerSettings => ({ kind: "orthanc", url: `http://127.0.0.1:${port}` });

const ARCHIVE_SETTINGS: Readonly<Record<ArchiveWay, AnyPeer["settings"]>> = {
  move: dimseArchive("move"),
  get: dimseArchive("get"),
  dicomweb,
  orthanc: orthancRest,
  "dcmqrscp-move": dimseArchive("move"),
  "dcmqrscp-get": dimseArchive("get"),
};

export async function openStorePeer(kind: StoreKind, place: PeerPlace): Promise<StorePeer> {
  return await STORES[kind](place);
}

const STORES: Readonly<Record<StoreKind, (place: PeerPlace) => Promise<StorePeer>>> = {
  dimse: orthancStore(
    ({ port }) => port,
    (port) => ({ kind: "dimse", address: `STORE@127.0.0.1:${port}` }),
    true,
  ),
  dicomweb: orthancStore(({ httpPort }) => httpPort, dicomweb),
  orthanc: orthancStore(({ httpPort }) => httpPort, orthancRest),
  async s3({ opened, folder }) {
    const s3 = opened.use(await startS3Server());
    await writeFile(join(folder, S3_KEY_FILE), `${s3.secretAccessKey}\n`, { mode: 0o600 });
    return {
      machine: s3.program,
      port: s3.port,
      slow: { kind: "slow", direction: "to", afterBytes: 10_000 },
      settings: (port) => s3Destination({ folder, s3 }, port),
      held: (project) => heldInFolder(s3.folder, project),
    };
  },
  async sftp({ opened }) {
    const sshd = opened.use(await startSshd());
    return {
      machine: sshd.program,
      port: sshd.port,
      // Behind the handshake.
      slow: { kind: "slow", direction: "to", afterBytes: 20_000 },
      settings: (port) => sftpDestination({ sshd }, port),
      held: (project) => heldInFolder(sshd.folder, project),
    };
  },
};

function orthancStore(
  portOf: (orthanc: OrthancServer) => number,
  settings: AnyPeer["settings"],
  hasOwnHeader = false,
): (place: PeerPlace) => Promise<StorePeer> {
  return async ({ opened }) => {
    const orthanc = opened.use(await startOrthanc({ aeTitle: "STORE", configuration: ORTHANC_CONFIGURATION }));
    return {
      machine: orthanc,
      port: portOf(orthanc),
      slow: SLOW,
      settings,
      async held(_, ledger) {
        const held = await heldInOrthanc(orthanc, ledger);
        return hasOwnHeader ? { ...held, hasOwnHeader } : held;
      },
    };
  };
}
