import type { AvailabilityPolicy } from "../archive/availability/policy.ts";
import type { DicomAddress } from "../dicom/ae-title.ts";
import type { HttpPeerFiles } from "./http-credentials.ts";
import type { Manifest } from "./manifest.ts";
import type { PeerSecurity } from "./peer-credentials.ts";
import { type AbsolutePathIfAny, resolveSecurity } from "./settings-peers.ts";

interface AnyArchive {
  readonly name: string;
  readonly availability: AvailabilityPolicy & { readonly associations: number };
}

export interface DimseArchiveSettings extends AnyArchive, PeerSecurity {
  readonly kind: "dimse";
  readonly address: DicomAddress;
  readonly retrieve: "move" | "get";
}

export interface HttpPeer extends HttpPeerFiles {
  readonly url: string;
  /** Until an answer begins. */
  readonly answerTimeoutMs: number;
}

export interface DicomWebArchiveSettings extends AnyArchive, HttpPeer {
  readonly kind: "dicomweb";
}

export interface OrthancArchiveSettings extends AnyArchive, HttpPeer {
  readonly kind: "orthanc";
  readonly modality?: string | undefined;
}

export interface Rad69ArchiveSettings extends AnyArchive, HttpPeer {
  readonly kind: "rad69";
  readonly repositoryUniqueId: string;
  /** Name of the archive that is searched in its place. */
  readonly search: string;
}

export interface XnatDqrArchiveSettings extends AnyArchive, HttpPeerFiles {
  readonly kind: "xnat-dqr";
  readonly url: string;
  readonly project: string;
  readonly pacs?: number | undefined;
  readonly receiver?: { readonly aeTitle: string; readonly port: number } | undefined;
}

export interface FolderArchiveSettings extends AnyArchive {
  readonly kind: "folder";
  readonly path: string;
}

export type ArchiveSettings =
  | FolderArchiveSettings
  | DimseArchiveSettings
  | DicomWebArchiveSettings
  | OrthancArchiveSettings
  | Rad69ArchiveSettings
  | XnatDqrArchiveSettings;

export function resolveArchive(archive: Manifest["archives"][number], ifAny: AbsolutePathIfAny): ArchiveSettings {
  const { name } = archive;
  const { associations, windows, timeZone, studiesPerMinute, bytesPerSecond } = archive.availability;
  const availability = { associations, windows, timeZone, studiesPerMinute, bytesPerSecond };
  switch (archive.kind) {
    case "dimse": {
      const { kind, address, retrieve } = archive;
      return { name, kind, address, retrieve, availability, ...resolveSecurity(archive, ifAny) };
    }
    case "dicomweb": {
      const { kind } = archive;
      return { name, kind, availability, ...resolveHttpServer(archive, ifAny) };
    }
    case "orthanc": {
      const { kind, modality } = archive;
      return { name, kind, modality, availability, ...resolveHttpServer(archive, ifAny) };
    }
    case "rad69": {
      const { kind, repositoryUniqueId, search } = archive;
      return { name, kind, repositoryUniqueId, search, availability, ...resolveHttpServer(archive, ifAny) };
    }
    case "folder": {
      const { kind, path } = archive;
      return { name, kind, path: ifAny(path) ?? path, availability };
    }
    case "xnat-dqr": {
      const { kind, url, project, pacs, receiver } = archive;
      return { name, kind, url, project, pacs, receiver, availability, ...resolveHttpPeer(archive, ifAny) };
    }
  }
}

export function resolveHttpPeer(files: HttpPeerFiles, ifAny: AbsolutePathIfAny): HttpPeerFiles {
  return {
    tokenFile: ifAny(files.tokenFile),
    username: files.username,
    passwordFile: ifAny(files.passwordFile),
    clientCertificateFile: ifAny(files.clientCertificateFile),
    clientKeyFile: ifAny(files.clientKeyFile),
    authoritiesFile: ifAny(files.authoritiesFile),
  };
}

export function resolveHttpServer(
  server: HttpPeerFiles & { readonly url: string; readonly answerTimeoutSeconds: number },
  ifAny: AbsolutePathIfAny,
): HttpPeer {
  const { url, answerTimeoutSeconds } = server;
  return { url, answerTimeoutMs: answerTimeoutSeconds * 1_000, ...resolveHttpPeer(server, ifAny) };
}
