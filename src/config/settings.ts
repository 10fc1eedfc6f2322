import { dirname, join, resolve } from "node:path";
import type { AeTitle, DicomAddress } from "../dicom/ae-title.ts";
import type { Manifest } from "./manifest.ts";

/** Settings ready for use: paths are absolute, addresses parsed, defaults filled in. Only what this version can run is in them. */
export interface Settings {
  readonly home: string;
  readonly store: { readonly kind: "sqlite" };
  readonly dicom: { readonly aeTitle: AeTitle; readonly host: string; readonly port: number };
  readonly http: { readonly host: string; readonly port: number };
  readonly retry: {
    readonly attempts: number;
    readonly firstDelaySeconds: number;
    readonly maximumDelaySeconds: number;
  };
  readonly staging: { readonly path: string; readonly reserveGigabytes: number; readonly keepDays: number };
  readonly archives: readonly ArchiveSettings[];
  readonly destinations: readonly DestinationSettings[];
  readonly projects: readonly ProjectSettings[];
}

interface ArchiveSettings {
  readonly name: string;
  readonly kind: "dimse";
  readonly address: DicomAddress;
  readonly retrieve: "move" | "get";
  readonly availability: { readonly associations: number };
}

export type DestinationSettings =
  | { readonly name: string; readonly kind: "folder"; readonly path: string }
  | { readonly name: string; readonly kind: "dimse"; readonly address: DicomAddress; readonly confirm: "find" };

export interface ProjectSettings {
  readonly name: string;
  /** Names of archives, in the order of fallback. */
  readonly archives: readonly string[];
  readonly destinations: readonly string[];
  readonly profile: "basic" | "research";
  readonly keyFile: string;
  readonly partial: "hold" | "deliver";
  readonly maximumStudiesPerRequest: number;
  readonly accessionNumbersUnique: boolean;
  readonly pseudonyms: { readonly mode: "hmac" };
  /** Absolute paths of CSV files. */
  readonly optOut: readonly string[];
  readonly filters: {
    readonly modalities?: readonly string[];
    readonly minimumInstancesPerSeries?: number;
    readonly excludeSeriesDescriptions?: readonly string[];
  };
}

/** @param baseFolder absolute; relative paths count from it. What this version cannot run is left out: the check has reported it. */
export function resolveSettings(values: Manifest, baseFolder: string): Settings {
  const absolute = (path: string): string => resolve(baseFolder, path);
  const home = absolute(values.home);
  return {
    home,
    store: { kind: "sqlite" },
    dicom: values.dicom,
    http: values.http,
    retry: values.retry,
    staging: {
      ...values.staging,
      path: values.staging.path === undefined ? join(home, "staging") : absolute(values.staging.path),
    },
    archives: values.archives.flatMap(resolveArchive),
    destinations: values.destinations.flatMap((destination) => resolveDestination(destination, absolute)),
    projects: values.projects.flatMap((project) => resolveProject(project, absolute)),
  };
}

/** The folder that relative paths count from: the file's own, or the working folder when there is no file. */
export function baseFolderOf(file: string | undefined, workingFolder: string): string {
  return file === undefined ? workingFolder : dirname(file);
}

function resolveArchive(archive: Manifest["archives"][number]): ArchiveSettings[] {
  if (archive.kind !== "dimse") return [];
  const { name, kind, address, retrieve, availability } = archive;
  return [{ name, kind, address, retrieve, availability: { associations: availability.associations } }];
}

type AbsolutePath = (path: string) => string;

function resolveDestination(
  destination: Manifest["destinations"][number],
  absolute: AbsolutePath,
): DestinationSettings[] {
  if (destination.kind === "xnat") return [];
  if (destination.kind === "dimse") return [destination];
  return [{ ...destination, path: absolute(destination.path) }];
}

function resolveProject(project: Manifest["projects"][number], absolute: AbsolutePath): ProjectSettings[] {
  const { profile, pseudonyms, filters } = project;
  if ((profile !== "basic" && profile !== "research") || pseudonyms.mode !== "hmac") return [];
  const { modalities, minimumInstancesPerSeries, excludeSeriesDescriptions } = filters;
  return [
    {
      ...project,
      profile,
      pseudonyms,
      keyFile: absolute(project.keyFile),
      optOut: project.optOut.map(absolute),
      filters: {
        ...(modalities === undefined ? {} : { modalities }),
        ...(minimumInstancesPerSeries === undefined ? {} : { minimumInstancesPerSeries }),
        ...(excludeSeriesDescriptions === undefined ? {} : { excludeSeriesDescriptions }),
      },
    },
  ];
}
