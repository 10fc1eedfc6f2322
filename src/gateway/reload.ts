import type { Settings } from "../config/settings.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { isoTime } from "../operations/describe.ts";
import type { ReloadDocument, ReloadedNames } from "../operations/documents.ts";
import { JOB_STATES } from "../store/job-states.ts";
import type { Actor } from "../units/actor.ts";
import type { AuditTrail } from "../units/audit.ts";
import { createSemaphore } from "../units/semaphore.ts";
import { projectKeysOf, useProjectKeys } from "./compose-projects.ts";
import { type Composition, type CompositionParts, compose, discard, type MarkedKind } from "./composition.ts";
import type { Keeper } from "./keeper.ts";
import type { Paces } from "./open-archives.ts";

/** What may change while the service runs; the rest holds from its start to its end. */
const LIVE = ["archives", "destinations", "projects", "codecs", "retry"] as const satisfies readonly (keyof Settings)[];
type Live = (typeof LIVE)[number];

export interface ReloadParts {
  readonly keeper: Keeper;
  readonly parts: CompositionParts & { readonly audit: AuditTrail };
  readonly paces: Paces;
  /** The settings as they are written now, with everything looked at that `config check` looks at. @throws SettingsError */
  readonly reread: () => Promise<Settings>;
  /** Told once they are in force. */
  readonly onReloaded: (settings: Settings) => void;
}

/**
 * Everything is looked at and opened before anything is changed. Jobs that run go on with what they began with; the next ones begin with what is
 * in force then.
 */
export function createReload({ keeper, parts, paces, reread, onReloaded }: ReloadParts) {
  const one = createSemaphore(1);
  return async (actor: Actor): Promise<ReloadDocument> => {
    using _turn = await one.acquire(AbortSignal.timeout(LONGEST_WAIT_MS));
    const { store, clock, audit } = parts;
    const before = keeper.current;
    const wanted = await reread();
    const settings = withLive(before.settings, wanted);
    await checkKeys(before, settings);
    const next = await compose(settings, parts, before);
    const document = await closingUnless(next, before, async () => {
      const changed: ReloadDocument = {
        at: isoTime(clock.nowMs()),
        ...changesOf(before, next),
        others: pathsOfChanges(othersOf(before.settings), othersOf(settings)),
        needsRestart: pathsOfChanges(settings, wanted),
        orphaned: await orphansOf(next, store),
      };
      await useProjectKeys(settings, store, actor, clock.nowMs());
      await audit.record({ event: "settings-reloaded", actor, outcome: "success", detail: countsOf(changed) });
      return changed;
    });
    paces.know(settings.archives);
    keeper.replace(next);
    onReloaded(settings);
    await store.wakeHeldBack(clock.nowMs());
    return document;
  };
}

/** One reload waits for another one so long. */
const LONGEST_WAIT_MS = 60_000;

function withLive(before: Settings, wanted: Settings): Settings {
  // Its rules change while it takes studies in; to begin with it, or to end it, is for a restart.
  const intake = before.intake && wanted.intake;
  return { ...before, ...pick(wanted, LIVE), ...(intake === undefined ? {} : { intake }) };
}

function othersOf({ codecs, retry, intake }: Settings): object {
  return { codecs, retry, intake };
}

function pick<K extends Live>(settings: Settings, names: readonly K[]): Pick<Settings, K> {
  return Object.fromEntries(names.map((name) => [name, settings[name]])) as Pick<Settings, K>;
}

/**
 * Work that runs has a project's key in hand: with another one, its pseudonyms would be of two kinds.
 * @throws GatewayError PROJECT_KEY_CHANGED, PROJECT_KEY_SHARED, KEY_FILE_…
 */
async function checkKeys(before: Composition, settings: Settings): Promise<void> {
  for (const [project, keyId] of await projectKeysOf(settings)) {
    const known = before.keyIds.get(project);
    if (known !== undefined && known !== keyId)
      throw new GatewayError("PROJECT_KEY_CHANGED", { project, until: "a restart" });
  }
}

/** What was opened for nothing is closed again. */
async function closingUnless<T>(next: Composition, before: Composition, done: () => Promise<T>): Promise<T> {
  try {
    return await done();
  } catch (thrown) {
    await discard(next, before);
    throw thrown;
  }
}

function changesOf(before: Composition, next: Composition): Pick<ReloadDocument, MarkedKind> {
  const of = (kind: MarkedKind): ReloadedNames => {
    const [old, now] = [before.marks[kind], next.marks[kind]];
    return {
      added: [...now.keys()].filter((name) => !old.has(name)),
      changed: [...now.keys()].filter((name) => old.has(name) && old.get(name) !== now.get(name)),
      removed: [...old.keys()].filter((name) => !now.has(name)),
    };
  };
  return { archives: of("archives"), destinations: of("destinations"), projects: of("projects") };
}

async function orphansOf(
  { projects }: Composition,
  store: CompositionParts["store"],
): Promise<ReloadDocument["orphaned"]> {
  const open = (await store.jobCounts()).filter(
    ({ project, state }) => !projects.has(project) && !JOB_STATES[state].done,
  );
  const byProject = Map.groupBy(open, ({ project }) => project);
  return [...byProject]
    .map(([project, counts]) => ({ project, jobs: counts.reduce((sum, { jobs }) => sum + jobs, 0) }))
    .filter(({ jobs }) => jobs > 0);
}

function countsOf({ archives, destinations, projects }: ReloadDocument): Readonly<Record<string, number>> {
  const count = ({ added, changed, removed }: ReloadedNames): number => added.length + changed.length + removed.length;
  return { archives: count(archives), destinations: count(destinations), projects: count(projects) };
}

/** As `dicom.port`; a list is one setting. */
function pathsOfChanges(before: object, after: object, path = ""): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => {
    const [old, now]: readonly unknown[] = [Reflect.get(before, name), Reflect.get(after, name)];
    const own = path === "" ? name : `${path}.${name}`;
    if (isGroup(old) && isGroup(now)) return pathsOfChanges(old, now, own);
    return JSON.stringify(old) === JSON.stringify(now) ? [] : [own];
  });
}

function isGroup(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
