import type { DicomAddress } from "../dicom/ae-title.ts";
import type { HttpPeerFiles } from "./http-credentials.ts";
import type { Manifest } from "./manifest.ts";
import type { PeerSecurity, TlsClientFiles } from "./peer-credentials.ts";
import { type HttpPeer, resolveHttpPeer, resolveHttpServer } from "./settings-archives.ts";
import { type BucketSettings, resolveBucket } from "./settings-bucket.ts";
import { type AbsolutePath, type AbsolutePathIfAny, resolveSecurity } from "./settings-peers.ts";

export type DestinationSettings =
  | { readonly name: string; readonly kind: "folder"; readonly path: string; readonly layout: FileLayout }
  | ({
      readonly name: string;
      readonly kind: "dimse";
      readonly address: DicomAddress;
      readonly confirm: "find";
    } & PeerSecurity)
  | HttpDestinationSettings
  | XnatDestinationSettings
  | FtpsDestinationSettings
  | SftpDestinationSettings
  | S3DestinationSettings;

/** A file for each instance, or a zip for each study. */
type FileLayout = "files" | "zip";

export interface HttpDestinationSettings extends HttpPeer {
  readonly name: string;
  readonly kind: "dicomweb" | "orthanc";
}

export interface XnatDestinationSettings extends HttpPeerFiles {
  readonly name: string;
  readonly kind: "xnat";
  readonly url: string;
  /** Absent: the one that is called as the study's own project. */
  readonly project?: string | undefined;
  readonly into: "archive" | "prearchive";
  readonly upload: "dicom-zip" | "gradual-dicom";
  readonly overwrite: "none" | "append" | "delete";
  readonly proof: "digest" | "uids";
}

/** Paths of files are absolute. */
export interface FtpsDestinationSettings {
  readonly name: string;
  readonly kind: "ftps";
  readonly host: string;
  readonly port: number;
  readonly security: "implicit" | "explicit";
  readonly username: string;
  readonly passwordFile: string;
  /** On the server; empty: the user's own. */
  readonly folder: string;
  readonly tls: TlsClientFiles;
  readonly readBack: "directory" | "whole";
}

/** Paths of files are absolute. */
export interface SftpDestinationSettings {
  readonly name: string;
  readonly kind: "sftp";
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly passwordFile?: string | undefined;
  readonly privateKeyFile?: string | undefined;
  readonly passphraseFile?: string | undefined;
  /** Fingerprints, as `ssh-keygen -lf` prints them. */
  readonly hostKeys: readonly string[];
  /** On the server; empty: the user's own. */
  readonly folder: string;
  readonly layout: FileLayout;
  readonly readBack: "directory" | "whole";
}

export interface S3DestinationSettings extends BucketSettings {
  readonly name: string;
  readonly kind: "s3";
  /** What keys begin with; empty: nothing. */
  readonly prefix: string;
  readonly readBack: "sums" | "whole";
}

export function resolveDestination(
  destination: Manifest["destinations"][number],
  absolute: AbsolutePath,
  ifAny: AbsolutePathIfAny,
): DestinationSettings {
  switch (destination.kind) {
    case "folder":
      return { ...destination, path: absolute(destination.path) };
    case "dimse": {
      const { name, kind, address, confirm } = destination;
      return { name, kind, address, confirm, ...resolveSecurity(destination, ifAny) };
    }
    case "xnat": {
      const { username, passwordFile, ...rest } = destination;
      return { ...rest, ...resolveHttpPeer(destination, ifAny) };
    }
    case "ftps":
      return resolveFtps(destination, absolute, ifAny);
    case "sftp":
      return resolveSftp(destination, ifAny);
    case "s3":
      return { ...resolveBucket(destination, absolute, ifAny), prefix: destination.prefix ?? "" };
    case "dicomweb":
    case "orthanc": {
      const { name, kind } = destination;
      return { name, kind, ...resolveHttpServer(destination, ifAny) };
    }
  }
}

/** IANA service names `ftps` and `ftp`. */
const FTPS_PORTS = { implicit: 990, explicit: 21 } as const;

function resolveFtps(
  destination: Of<"ftps">,
  absolute: AbsolutePath,
  ifAny: AbsolutePathIfAny,
): FtpsDestinationSettings {
  const { name, kind, host, security, port, username, passwordFile, folder = "", readBack } = destination;
  const { authoritiesFile, clientCertificateFile, clientKeyFile } = destination;
  return {
    name,
    kind,
    host,
    port: port ?? FTPS_PORTS[security],
    security,
    username,
    passwordFile: absolute(passwordFile),
    folder,
    tls: {
      authoritiesFile: ifAny(authoritiesFile),
      certificateFile: ifAny(clientCertificateFile),
      keyFile: ifAny(clientKeyFile),
    },
    readBack,
  };
}

type Of<Kind> = Extract<Manifest["destinations"][number], { kind: Kind }>;

/** IANA service name `ssh`. */
const SSH_PORT = 22;

function resolveSftp(destination: Of<"sftp">, ifAny: AbsolutePathIfAny): SftpDestinationSettings {
  const { port = SSH_PORT, passwordFile, privateKeyFile, passphraseFile, folder = "", ...rest } = destination;
  return {
    ...rest,
    port,
    folder,
    passwordFile: ifAny(passwordFile),
    privateKeyFile: ifAny(privateKeyFile),
    passphraseFile: ifAny(passphraseFile),
  };
}
