import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { introduceModality, type OrthancServer, startOrthanc } from "../peers/orthanc.ts";
import { findPeer } from "../peers/require-peer.ts";
import { type S3Peer, startS3Server } from "../peers/s3-server.ts";
import { type Sshd, startSshd } from "../peers/sshd.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import type { Place } from "./kinds.ts";

export const S3_KEY_FILE = "s3.key";

/** The real servers that all kinds share; each kind has a gateway, a study and a proxy of its own. */
export interface World extends AsyncDisposable {
  readonly folder: string;
  readonly archive: OrthancServer;
  readonly store: OrthancServer;
  readonly s3: S3Peer;
  readonly sshd: Sshd;
}

export async function openWorld(): Promise<World> {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await temporaryFolder());
  const plugins = { Plugins: [findPeer("libOrthancDicomWeb.so")], DicomWeb: { Enable: true } };
  const archive = opened.use(await startOrthanc({ aeTitle: "ARCHIVE", configuration: plugins }));
  const store = opened.use(await startOrthanc({ aeTitle: "STORE", configuration: plugins }));
  const s3 = opened.use(await startS3Server());
  const sshd = opened.use(await startSshd());
  const secret = { mode: 0o600 };
  await writeFile(join(folder, "project.key"), `${"ab".repeat(32)}\n`, secret);
  await writeFile(join(folder, S3_KEY_FILE), `${s3.secretAccessKey}\n`, secret);
  const closing = opened.move();
  return { folder, archive, store, s3, sshd, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/** What a gateway is told of a place, and where the proxy in front of it leads. */
export interface Stage {
  /** The port behind the proxy. */
  readonly targetPort: number;
  readonly archive: (proxyPort: number) => Readonly<Record<string, unknown>>;
  readonly destination: (proxyPort: number) => Readonly<Record<string, unknown>>;
  /** The port that the archive sends to, where that is the proxy's. */
  readonly sendsToProxy?: true;
}

/** @param dicomPort of the kind's own gateway */
export function stageOf(place: Place, world: World, dicomPort: number, delivered: string): Stage {
  const { archive, store } = world;
  const usualArchive = () => dimseArchive(archive.port, "move");
  const folder = () => ({ kind: "folder", path: delivered });
  const behindArchive = (targetPort: number, of: (port: number) => Readonly<Record<string, unknown>>): Stage => ({
    targetPort,
    archive: of,
    destination: folder,
  });
  const behindStore = (targetPort: number, of: (port: number) => Readonly<Record<string, unknown>>): Stage => ({
    targetPort,
    archive: usualArchive,
    destination: of,
  });
  const stages: Readonly<Record<Place, () => Stage>> = {
    "archive-move": () => behindArchive(archive.port, (port) => dimseArchive(port, "move")),
    "archive-store": () => ({
      targetPort: dicomPort,
      archive: usualArchive,
      destination: folder,
      sendsToProxy: true,
    }),
    "archive-get": () => behindArchive(archive.port, (port) => dimseArchive(port, "get")),
    "archive-dicomweb": () =>
      behindArchive(archive.httpPort, (port) => ({ kind: "dicomweb", url: `http://127.0.0.1:${port}/dicom-web` })),
    "archive-orthanc": () =>
      behindArchive(archive.httpPort, (port) => ({ kind: "orthanc", url: `http://127.0.0.1:${port}` })),
    "destination-dimse": () =>
      behindStore(store.port, (port) => ({ kind: "dimse", address: `STORE@127.0.0.1:${port}` })),
    "destination-dicomweb": () =>
      behindStore(store.httpPort, (port) => ({ kind: "dicomweb", url: `http://127.0.0.1:${port}/dicom-web` })),
    "destination-orthanc": () =>
      behindStore(store.httpPort, (port) => ({ kind: "orthanc", url: `http://127.0.0.1:${port}` })),
    "destination-s3": () => behindStore(world.s3.port, (port) => s3Destination(world, port)),
    "destination-sftp": () => behindStore(world.sshd.port, (port) => sftpDestination(world, port)),
  };
  return stages[place]();
}

function dimseArchive(port: number, retrieve: "move" | "get"): Readonly<Record<string, unknown>> {
  return { kind: "dimse", address: `ARCHIVE@127.0.0.1:${port}`, retrieve };
}

export function s3Destination(
  { folder, s3 }: Pick<World, "folder" | "s3">,
  port: number,
): Readonly<Record<string, unknown>> {
  const { bucket, accessKeyId } = s3;
  const endpoint = `http://127.0.0.1:${port}`;
  return { kind: "s3", endpoint, bucket, accessKeyId, secretAccessKeyFile: join(folder, S3_KEY_FILE) };
}

export function sftpDestination({ sshd }: Pick<World, "sshd">, port: number): Readonly<Record<string, unknown>> {
  const { username, privateKeyFile, hostKey, folder } = sshd;
  return { kind: "sftp", host: "127.0.0.1", port, username, privateKeyFile, hostKeys: [hostKey], folder };
}

/** Has the archive know a gateway by an AE title of its own. */
export async function introduce({ archive }: World, aeTitle: string, port: number): Promise<void> {
  await introduceModality(archive, aeTitle.toLowerCase(), { aeTitle, port });
}
