import type { Archive } from "../archive/archive.ts";
import type { GovernedArchive } from "../archive/availability/govern-archive.ts";
import type { AvailabilityPolicy } from "../archive/availability/policy.ts";
import type { Inspect } from "../delivery/inspection/inspection.ts";
import type { StudyRemoval } from "../delivery/removal/removal.ts";
import type { DicomAddress } from "../dicom/ae-title.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { Store } from "../store/store.ts";
import type { Actor } from "../units/actor.ts";
import type { AuditTrail } from "../units/audit.ts";
import type { Clock } from "../units/clock.ts";
import type { Disk } from "../units/disk.ts";
import type { Random } from "../units/random.ts";
import type { ReloadDocument } from "./documents.ts";
import type { Inquiries } from "./inquiries.ts";
import type { ScanFiles } from "./scanner-operations.ts";

/** What operations need to know of the gateway; the composition root fills it from the settings. */
export interface OperationsContext {
  readonly store: Store;
  /** Who asks. */
  readonly actor: Actor;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly home: string;
  readonly staging: { readonly path: string; readonly reserveBytes: number };
  /** Our own application entity, as archives are told of it. */
  readonly ownAddress: DicomAddress;
  /** Our listener over TLS, on the same host; absent when there is none. */
  readonly tlsListener?: TlsListenerFacts;
  /** Opens our DICOM listener for a rehearsal; undefined when it is open already, as beside a running service. */
  listen(): Promise<RehearsalListener | undefined>;
  readonly projects: ReadonlyMap<string, ProjectFacts>;
  readonly archives: ReadonlyMap<string, ArchiveFacts>;
  readonly destinations: ReadonlyMap<string, DestinationFacts>;
  /** Goes on with the settings as they are now; absent in a process that does not work. */
  readonly reload?: ((actor: Actor) => Promise<ReloadDocument>) | undefined;
  /** Why the store cannot be written now, undefined when it can; absent in a process that does not work. */
  readonly storeTrouble?: (() => Promise<ErrorCode | undefined>) | undefined;
  /** What evidence of cohorts is signed with, and what it says of this program. */
  readonly evidence: { readonly keyFile: string; readonly version: string };
  /** Of the destinations that can be looked at by themselves. */
  readonly inspectors: ReadonlyMap<string, Inspect>;
  /** How studies are taken back, of the destinations that let us. */
  readonly removals: ReadonlyMap<string, StudyRemoval>;
  /** What patients are known by who were withdrawn, and how copies of the home are removed. */
  readonly withdrawn: WithdrawnFacts;
  /** Questions under way. */
  readonly inquiries: Inquiries;
  /** Where scanners' results lie. */
  readonly scanFiles: ScanFiles;
  /** Channels by name. */
  readonly notifications: ReadonlyMap<string, NotificationFacts>;
  /** What else must be right, such as that the issuer of log-ins answers. */
  readonly checks: readonly OwnCheck[];
  /** As they are in force, without what is secret. */
  readonly settings: SettingsInForce;
}

export interface WithdrawnFacts {
  readonly keyFile: string;
  /** Names that what lies in this home goes by among those of the nodes. */
  nodes(): Promise<readonly string[]>;
  /** The only one there is; undefined: several share the store. */
  readonly soleNode: string | undefined;
  removeLocalCopies(study: { readonly job: string; readonly studyInstanceUid: string | undefined }): Promise<void>;
}

export interface SettingsInForce {
  readonly [setting: string]: unknown;
}

export interface TlsListenerFacts {
  readonly port: number;
  /** Nothing listens at the port of `ownAddress`. */
  readonly only: boolean;
  /** Who connects must show a certificate. */
  readonly asksForCertificate: boolean;
  /** @throws GatewayError when certificate and key cannot be used */
  certificate(): Promise<CertificateFacts>;
}

/** When certificates end, in milliseconds since 1970. */
export interface CertificateFacts {
  readonly oursEndMs?: number;
  readonly theirsEndMs?: number;
}

/** Refuses whatever is sent, and counts it. */
export interface RehearsalListener extends AsyncDisposable {
  readonly arrivals: number;
}

export interface ProjectFacts {
  readonly name: string;
  readonly accessionNumbersUnique: boolean;
  readonly optOut: ReadonlySet<string>;
  /** By name, in the order of fallback. */
  readonly archives: readonly string[];
  readonly destinations: readonly string[];
  /** A shipped one's name, or a file's. */
  readonly profile: string;
  readonly partial: "hold" | "deliver";
  readonly maximumStudiesPerRequest: number;
  /** Absent: it is not kept who was who. */
  readonly linkageKeyFile?: string | undefined;
  /** Names the key that the settings give now. @throws GatewayError KEY_FILE_… */
  keyId(): Promise<string>;
}

export interface ArchiveFacts {
  /** As people ask it, at any time. */
  readonly archive: Archive;
  /** As work may ask it: within its windows, at its rate. */
  readonly governed: GovernedArchive;
  /** As the settings say; operators may have changed it since. */
  readonly availability: AvailabilityPolicy;
  /** Where it is: AET@host:port, or a URL. */
  readonly endpoint: string;
  /** Absent for an archive that is not asked by DIMSE. */
  readonly dimse?: DimseFacts;
  /** Makes a TLS connection to look; absent for a peer without TLS. @throws GatewayError when it cannot be made */
  certificates?(signal: AbortSignal): Promise<CertificateFacts>;
  /** What only this kind can be asked. */
  readonly checks?: readonly OwnCheck[];
}

/** One more thing that must be right. */
export interface OwnCheck {
  readonly what: string;
  /** @throws GatewayError with what is wrong */
  examine(signal: AbortSignal): Promise<string>;
}

export interface DimseFacts {
  readonly address: DicomAddress;
  readonly retrieve: "move" | "get";
}

/** A channel over which people and programs are told what happens. */
export interface NotificationFacts {
  readonly name: string;
  readonly kind: "mail" | "webhook";
  readonly events: readonly string[];
  /** Undefined: every project. */
  readonly projects?: readonly string[] | undefined;
  /** Sends a test message. @throws GatewayError */
  test(signal: AbortSignal): Promise<void>;
}

export interface DestinationFacts {
  readonly name: string;
  /** Whether studies could be delivered now: "yes", and what there is to say beside. @throws GatewayError */
  check(signal: AbortSignal): Promise<string>;
  /** As of an archive. */
  certificates?(signal: AbortSignal): Promise<CertificateFacts>;
  readonly checks?: readonly OwnCheck[];
}
