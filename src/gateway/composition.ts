import { stat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import type { Settings } from "../config/settings.ts";
import type { WorkerPool } from "../deid/workers/worker-pool.ts";
import type { ArchiveFacts, ProjectFacts } from "../operations/context.ts";
import type { PipelineProject } from "../pipeline/services.ts";
import type { SharedPermits } from "../store/shared-permits.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "../units/clock.ts";
import type { Logger } from "../units/logger.ts";
import type { Metrics } from "../units/metrics.ts";
import type { Random } from "../units/random.ts";
import type { Traces } from "../units/traces.ts";
import { composeProjects, projectFacts, projectKeysOf } from "./compose-projects.ts";
import { openArchives, type Receiving } from "./open-archives.ts";
import { type Destinations, openDestinations } from "./open-destinations.ts";
import type { Intake } from "./open-intake.ts";
import type { ViolationCounts } from "./violation-counts.ts";

/** What settings name, open and ready: how work and questions find archives, destinations and projects. */
export interface Composition {
  readonly settings: Settings;
  readonly archives: ReadonlyMap<string, ArchiveFacts>;
  readonly destinations: Destinations;
  readonly projects: ReadonlyMap<string, PipelineProject>;
  readonly projectFacts: ReadonlyMap<string, ProjectFacts>;
  /** By which it is told whether one of them is what it was. */
  readonly marks: Marks;
  /** Of each project's key. */
  readonly keyIds: ReadonlyMap<string, string>;
}

export type MarkedKind = "archives" | "destinations" | "projects";
type Marks = { readonly [K in MarkedKind]: ReadonlyMap<string, string> };

export interface CompositionParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  readonly violations: ViolationCounts;
  readonly metrics: Metrics;
  readonly traces: Traces;
  readonly receiving: Receiving;
  readonly threads: WorkerPool;
  /** What was sent unasked; undefined: nothing is taken in so. */
  readonly intake: Intake | undefined;
  /** What all nodes hold together; undefined where the store is this node's own. */
  readonly permits: SharedPermits | undefined;
  /** How many gateways ask the archives. */
  readonly sharers: () => number;
}

/**
 * Opens what the settings name; what is open already and has not changed is taken as it is. Nothing stays open of what was opened when it fails.
 * @throws GatewayError of whatever cannot be opened
 */
export async function compose(settings: Settings, parts: CompositionParts, before?: Composition): Promise<Composition> {
  const marks = await marksOf(settings);
  const isSame = (kind: "archives" | "destinations", name: string): boolean =>
    before?.marks[kind].get(name) === marks[kind].get(name);
  await using opened = new AsyncDisposableStack();
  const own = { ...parts, settings, keepsIndexes: true };
  const archives = await openArchives(own, opened, parts.receiving, (name) =>
    isSame("archives", name) ? before?.archives.get(name) : undefined,
  );
  const destinations = await openDestinations(own, opened, (name) =>
    isSame("destinations", name) ? before?.destinations.get(name) : undefined,
  );
  const projects = await composeProjects(settings, archives, destinations, parts, before?.projects);
  const facts = await projectFacts(settings);
  const keyIds = await projectKeysOf(settings);
  // From here on they are closed one by one: some may outlive the others.
  opened.move();
  // A profile names files of its own, its masks: what came of them tells.
  const ofProjects = [...marks.projects].map(
    ([name, mark]) => [name, `${mark} ${projects.get(name)?.profile.hash}`] as const,
  );
  // Data alone: a function made here would hold `before`, and with it all that were ever in force.
  const told = { ...marks, projects: new Map(ofProjects) };
  return { settings, archives, destinations, projects, projectFacts: facts, marks: told, keyIds };
}

/** Closes what one composition does not share with another. */
export async function discard(composition: Composition, but: Composition): Promise<void> {
  const kept = new Set(partsOf(but));
  for (const part of partsOf(composition)) if (!kept.has(part)) await part[Symbol.asyncDispose]();
}

/** Everything of a composition that has to be closed. */
export function partsOf({ archives, destinations, projects }: Composition): readonly AsyncDisposable[] {
  const deidentifiers = [...projects.values()].map(({ deidentifier }) => deidentifier);
  return [...[...archives.values()].map(({ archive }) => archive), ...destinations.values(), ...deidentifiers];
}

async function marksOf(settings: Settings): Promise<Marks> {
  const archives = new Map<string, string>();
  for (const archive of settings.archives) archives.set(archive.name, await markOf(archive));
  // One that is searched through another one is what that one is, too.
  for (const archive of settings.archives)
    if (archive.kind === "rad69")
      archives.set(archive.name, `${archives.get(archive.name)} ${archives.get(archive.search)}`);
  const destinations = new Map<string, string>();
  for (const destination of settings.destinations) destinations.set(destination.name, await markOf(destination));
  const projects = new Map<string, string>();
  for (const project of settings.projects) projects.set(project.name, await markOf(project));
  return { archives, destinations, projects };
}

const NAMES_FILES = /(?:File|^profile|^optOut)$/;

/** The settings of something, and how the files are that they name. */
async function markOf(settings: object): Promise<string> {
  const files = await Promise.all(filesOf("", settings).map(fileMark));
  return JSON.stringify([settings, files]);
}

function filesOf(name: string, value: unknown): readonly string[] {
  if (typeof value === "string") return NAMES_FILES.test(name) && isAbsolute(value) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((item: unknown) => filesOf(name, item));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => filesOf(key, item));
}

async function fileMark(path: string): Promise<string> {
  return await stat(path, { bigint: true }).then(
    ({ ino, size, mtimeNs }) => `${ino} ${size} ${mtimeNs}`,
    () => "missing",
  );
}
