import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { readCertificateFile, readPasswordFile, readSecretText } from "../config/credential-files.ts";
import { httpSecurityOf } from "../config/http-credentials.ts";
import { credentialsOf } from "../config/peer-credentials.ts";
import type { Settings } from "../config/settings.ts";
import type { HttpPeer } from "../config/settings-archives.ts";
import type { BucketSettings } from "../config/settings-bucket.ts";
import type {
  DestinationSettings,
  FtpsDestinationSettings,
  SftpDestinationSettings,
} from "../config/settings-destinations.ts";
import type { Destination } from "../delivery/destination.ts";
import { createDimseDestination } from "../delivery/dimse/dimse-destination.ts";
import { localFiles } from "../delivery/files/local-files.ts";
import { createZipDestination } from "../delivery/files/zip-destination.ts";
import { destinationFolder } from "../delivery/folder/destination-folder.ts";
import { createFolderDestination } from "../delivery/folder/folder-destination.ts";
import { createOrthancDestination } from "../delivery/orthanc/orthanc-destination.ts";
import { createStowDestination } from "../delivery/stow/stow-destination.ts";
import { createXnatDestination } from "../delivery/xnat/xnat-destination.ts";
import type { FtpsServer } from "../network/ftps/ftps-client.ts";
import { openHttpClient } from "../network/http-client/http-client.ts";
import type { S3Server } from "../network/s3/s3-client.ts";
import type { SftpServer } from "../network/sftp/sftp-client.ts";
import { meteredDestination } from "../observe/metered.ts";
import type { Clock } from "../units/clock.ts";
import type { Logger } from "../units/logger.ts";
import type { Metrics } from "../units/metrics.ts";
import type { Random } from "../units/random.ts";
import type { Traces } from "../units/traces.ts";
import { connectionTo } from "./connections.ts";
import type { ViolationCounts } from "./violation-counts.ts";
import { xnatClientOf } from "./xnat-client.ts";

export type Destinations = ReadonlyMap<string, Destination>;

interface Parts {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly random: Random;
  readonly violations: ViolationCounts;
  readonly metrics: Metrics;
  readonly traces: Traces;
  readonly clock: Clock;
}

/** Instances sent at once to a destination that takes them one by one. */
const PARALLEL_INSTANCES = 4;
const KEY_LIMIT_BYTES = 64 * 1_024;

/** @param reused one that is open already, and to be taken as it is */
export async function openDestinations(
  parts: Parts,
  opened: AsyncDisposableStack,
  reused: (name: string) => Destination | undefined = () => undefined,
): Promise<Destinations> {
  const destinations = new Map<string, Destination>();
  for (const destination of parts.settings.destinations) {
    const { name } = destination;
    const before = reused(name);
    const open = async () => opened.use(meteredDestination(await openDestination(destination, parts), parts));
    destinations.set(name, before ?? (await open()));
  }
  return destinations;
}

async function openDestination(
  destination: DestinationSettings,
  { settings, logger, random, violations }: Parts,
): Promise<Destination> {
  const { name } = destination;
  switch (destination.kind) {
    case "folder":
      return await openFolder(destination, settings);
    case "sftp": {
      const { folder: path, layout, readBack } = destination;
      const temporaryFolder = join(settings.home, "sftp", name);
      const readsBack = readBack === "whole";
      const { createSftpDestination } = await import("../delivery/sftp/sftp-destination.ts");
      return await createSftpDestination({
        name,
        server: sftpServerOf(destination),
        path,
        layout,
        readsBack,
        temporaryFolder,
      });
    }
    case "s3": {
      const { prefix, readBack } = destination;
      const proof = readBack === "whole" ? "sha256" : "digest";
      // Its library is large: who has no such destination does not wait for it.
      const { createS3Destination } = await import("../delivery/s3/s3-destination.ts");
      return createS3Destination({ name, server: s3ServerOf(destination), prefix, proof });
    }
    case "dimse": {
      const connection = connectionTo(settings, destination, violations.note);
      const callingAeTitle = settings.dicom.aeTitle;
      return createDimseDestination({ name, address: destination.address, callingAeTitle, connection, logger });
    }
    case "dicomweb":
      return createStowDestination({ name, client: await httpClientOf(destination), random });
    case "orthanc":
      return createOrthancDestination({ name, client: await httpClientOf(destination), parallel: PARALLEL_INSTANCES });
    case "ftps": {
      const { folder: path, readBack } = destination;
      const proof = readBack === "whole" ? "sha256" : "digest";
      const temporaryFolder = join(settings.home, "ftps", name);
      const { createFtpsDestination } = await import("../delivery/ftps/ftps-destination.ts");
      return await createFtpsDestination({ name, server: ftpsServerOf(destination), path, proof, temporaryFolder });
    }
    case "xnat": {
      const { project, into, upload, overwrite, proof: confirm } = destination;
      const client = await xnatClientOf(destination);
      const parallel = PARALLEL_INSTANCES;
      return createXnatDestination({ name, client, project, into, upload, overwrite, confirm, parallel });
    }
  }
}

/** The same after a restart, another on every machine and in every home. */
function ownerOf(home: string): string {
  return createHash("sha256").update(`${hostname()}\n${home}`).digest("hex").slice(0, 16);
}

async function openFolder(
  { name, path, layout }: Extract<DestinationSettings, { kind: "folder" }>,
  { home }: Settings,
): Promise<Destination> {
  if (layout === "files") return await createFolderDestination({ name, path, owner: ownerOf(home) });
  const temporaryFolder = join(home, "zip", name);
  const folder = destinationFolder({ name, path });
  await folder.make();
  const server = localFiles(folder);
  return await createZipDestination({ name, kind: "folder", server, path, proof: "sha256", temporaryFolder });
}

/** Files are read for each connection. @throws GatewayError SECRET_FILE_…, PASSWORD_FILE_MALFORMED from the function it answers */
export function sftpServerOf(destination: SftpDestinationSettings): () => Promise<SftpServer> {
  const { host, port, username, passwordFile, privateKeyFile, passphraseFile, hostKeys } = destination;
  return async () => ({
    ...{ host, port, username, hostKeys },
    password: passwordFile === undefined ? undefined : await readPasswordFile(passwordFile),
    privateKey: privateKeyFile === undefined ? undefined : await readSecretText(privateKeyFile, KEY_LIMIT_BYTES),
    passphrase: passphraseFile === undefined ? undefined : await readPasswordFile(passphraseFile),
  });
}

/** Files are read for each connection. @throws GatewayError CERTIFICATE_…, SECRET_FILE_…, PASSWORD_FILE_MALFORMED from the function it answers */
export function s3ServerOf(destination: BucketSettings): () => Promise<S3Server> {
  const { endpoint, region, bucket, accessKeyId, secretAccessKeyFile, pathStyle, authoritiesFile } = destination;
  return async () => ({
    ...{ endpoint, region, bucket, accessKeyId, usesPathStyle: pathStyle },
    secretAccessKey: await readPasswordFile(secretAccessKeyFile),
    tls:
      authoritiesFile === undefined ? {} : { certificateAuthorities: (await readCertificateFile(authoritiesFile)).pem },
  });
}

/** Files are read for each connection. @throws GatewayError CERTIFICATE_…, SECRET_FILE_…, PASSWORD_FILE_MALFORMED from the function it answers */
export function ftpsServerOf(destination: FtpsDestinationSettings): () => Promise<FtpsServer> {
  const { host, port, security, username, passwordFile, tls } = destination;
  const credentials = credentialsOf({ tls });
  return async () => {
    const password = await readPasswordFile(passwordFile);
    return { host, port, security, username, password, tls: (await credentials()).tls ?? {} };
  };
}

/** @throws GatewayError CERTIFICATE_…, SECRET_FILE_… */
export async function httpClientOf(peer: HttpPeer, connections?: number) {
  const timeouts = { headersMs: peer.answerTimeoutMs };
  return openHttpClient({ baseUrl: peer.url, connections, timeouts, ...(await httpSecurityOf(peer)) });
}
