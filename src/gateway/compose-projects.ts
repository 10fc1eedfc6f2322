import { basename } from "node:path";
import { loadOptOut } from "../cohort/opt-out.ts";
import type { ProjectSettings, Settings } from "../config/settings.ts";
import type { DeidentifierOptions } from "../deid/deidentifier.ts";
import { openLinkage } from "../deid/linkage/open-linkage.ts";
import type { LinkSealer } from "../deid/linkage/sealing.ts";
import { loadProfile } from "../deid/profiles/load-profile.ts";
import { loadLookupTable } from "../deid/pseudonyms/lookup-table.ts";
import { loadPixlSecrets, pixlSecretsId } from "../deid/pseudonyms/pixl-secrets.ts";
import { loadProjectKey } from "../deid/pseudonyms/project-key.ts";
import { createStudyDeidentifier } from "../deid/workers/study-run.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ArchiveFacts, ProjectFacts } from "../operations/context.ts";
import type { HookSettings } from "../pipeline/hook/hook.ts";
import { findLaunch } from "../pipeline/hook/isolation.ts";
import type { ProjectHook } from "../pipeline/hook/process-study.ts";
import type { PipelineProject } from "../pipeline/services.ts";
import type { Store } from "../store/store.ts";
import type { Actor } from "../units/actor.ts";
import { createSemaphore } from "../units/semaphore.ts";
import type { CompositionParts } from "./composition.ts";
import { hooksFolderOf } from "./hooks-folder.ts";
import type { Destinations } from "./open-destinations.ts";

/** @param before what a project's de-identifier is taken from where it would be the same */
export async function composeProjects(
  settings: Settings,
  archives: ReadonlyMap<string, ArchiveFacts>,
  destinations: Destinations,
  { threads, store, clock, intake }: Pick<CompositionParts, "threads" | "store" | "clock" | "intake">,
  before?: ReadonlyMap<string, PipelineProject>,
): Promise<ReadonlyMap<string, PipelineProject>> {
  const projects = new Map<string, PipelineProject>();
  for (const project of settings.projects) {
    const profile = await loadProfile(project.profile);
    const key = await loadProjectKey(project.keyFile);
    const { filters } = project;
    const engine = { profile, key, filters, codecs: settings.codecs, ...(await pseudonymSources(project)) };
    const known = before?.get(project.name)?.deidentifier;
    projects.set(project.name, {
      name: project.name,
      archives: [
        // Before all others: what was sent for the project need not be fetched from anywhere.
        ...(intake === undefined ? [] : [intake.archiveOf(project.name)]),
        ...project.archives.map((name) => named(archives, name).governed),
      ],
      destinations: project.destinations.map((name) => named(destinations, name)),
      profile,
      keyId: key.id,
      deidentifier: known?.isMadeOf(engine) === true ? known : createStudyDeidentifier(engine, threads),
      combinesStudies: project.pseudonyms.mode === "pixl",
      mergePatients: project.pseudonyms.mergePatients === true,
      partial: project.partial,
      maximumStudiesPerRequest: project.maximumStudiesPerRequest,
      linkage: await linkageOf(project, store, clock.nowMs()),
      optOut: await loadOptOut(project.optOut),
      hook: project.hook === undefined ? undefined : await projectHook(project.hook, settings.home),
    });
  }
  return projects;
}

async function projectHook(hook: HookSettings, home: string): Promise<ProjectHook> {
  const turns = createSemaphore(hook.parallel);
  return { settings: hook, folder: hooksFolderOf(home), launch: await findLaunch(hook), turns };
}

/** Of what was destroyed nothing is kept from then on. @throws GatewayError KEY_FILE_…, LINKAGE_KEY_SHARED, LINKAGE_UNREADABLE */
async function linkageOf(project: ProjectSettings, store: Store, nowMs: number): Promise<LinkSealer | undefined> {
  const { name, linkageKeyFile: path } = project;
  if (path === undefined) return undefined;
  const opened = await openLinkage(store, { project: name, path, keyId: await keyIdOf(project) }, nowMs);
  return opened.kind === "kept" ? opened.sealer : undefined;
}

/** @throws GatewayError LOOKUP_TABLE_…, SECRET_FILE_…, PIXL_SECRET_MALFORMED */
async function pseudonymSources({
  name,
  pseudonyms,
}: ProjectSettings): Promise<Pick<DeidentifierOptions, "lookup" | "pixl">> {
  const { lookupFile, mergePatients } = pseudonyms;
  return {
    lookup:
      lookupFile === undefined
        ? undefined
        : await loadLookupTable(lookupFile, { project: name, merge: mergePatients === true }),
    pixl: pseudonyms.mode === "pixl" ? await loadPixlSecrets(pseudonyms) : undefined,
  };
}

/**
 * Writes down which key each project is opened with; nothing, when one of them cannot be.
 * @throws GatewayError PROJECT_KEY_SHARED when two have the same, PROJECT_KEY_CHANGED when studies were delivered with another one
 */
export async function useProjectKeys(settings: Settings, store: Store, actor: Actor, nowMs: number): Promise<void> {
  const keys = await projectKeysOf(settings);
  for (const isRehearsal of [true, false]) {
    for (const [project, keyId] of keys) {
      const event = "project-key-changed";
      const audit = { event, actor, outcome: "success", project, detail: { keyId } } as const;
      const use = await store.useProjectKey({ project, keyId, force: false, isRehearsal, audit }, nowMs);
      if (use === "refused") throw new GatewayError("PROJECT_KEY_CHANGED", { project });
    }
  }
}

/** The id of each project's key. @throws GatewayError PROJECT_KEY_SHARED, KEY_FILE_… */
export async function projectKeysOf({ projects }: Settings): Promise<ReadonlyMap<string, string>> {
  const projectOf = new Map<string, string>();
  const keys = new Map<string, string>();
  for (const project of projects) {
    const { name } = project;
    for (const part of await keyPartsOf(project)) {
      const other = projectOf.get(part);
      if (other !== undefined) throw new GatewayError("PROJECT_KEY_SHARED", { project: name, other });
      projectOf.set(part, name);
    }
    keys.set(name, await keyIdOf(project));
  }
  return keys;
}

/** @throws GatewayError KEY_FILE_…, and of what PIXL's pseudonyms are made with */
async function keyIdOf(project: ProjectSettings): Promise<string> {
  return (await keyPartsOf(project)).join("-");
}

/**
 * As the next start looks at one project's key, without writing anything.
 * @throws GatewayError KEY_FILE_…, PROJECT_KEY_SHARED, PROJECT_KEY_CHANGED
 */
export async function tryProjectKey(
  { projects }: Pick<Settings, "projects">,
  project: ProjectSettings,
  store: Pick<Store, "useProjectKey">,
  nowMs: number,
): Promise<string> {
  const parts = await keyPartsOf(project);
  for (const other of projects) {
    // What is wrong with the other's own is told of the other.
    const others = other === project ? [] : await keyPartsOf(other).catch(() => []);
    if (others.some((part) => parts.includes(part)))
      throw new GatewayError("PROJECT_KEY_SHARED", { project: project.name, other: other.name });
  }
  const keyId = parts.join("-");
  const use = await store.useProjectKey({ project: project.name, keyId, force: false, isRehearsal: true }, nowMs);
  if (use === "refused") throw new GatewayError("PROJECT_KEY_CHANGED", { project: project.name });
  return keyId;
}

/** Ids of everything that pseudonyms are made with. */
async function keyPartsOf({ keyFile, pseudonyms }: ProjectSettings): Promise<readonly string[]> {
  const { id } = await loadProjectKey(keyFile);
  return pseudonyms.mode === "pixl" ? [id, pixlSecretsId(await loadPixlSecrets(pseudonyms))] : [id];
}

export async function projectFacts(settings: Settings): Promise<ReadonlyMap<string, ProjectFacts>> {
  const facts = new Map<string, ProjectFacts>();
  for (const project of settings.projects) {
    const { name, accessionNumbersUnique, archives, destinations, partial, maximumStudiesPerRequest } = project;
    const { linkageKeyFile } = project;
    const optOut = await loadOptOut(project.optOut);
    const shown = { name, accessionNumbersUnique, archives, destinations, partial, maximumStudiesPerRequest };
    facts.set(name, {
      ...shown,
      profile: basename(project.profile),
      optOut,
      linkageKeyFile,
      keyId: () => keyIdOf(project),
    });
  }
  return facts;
}

/** `config check` has seen to it that every name is known. */
function named<T>(map: ReadonlyMap<string, T>, name: string): T {
  const found = map.get(name);
  if (found === undefined) throw new GatewayError("INTERNAL", { name });
  return found;
}
