import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Associations, createSharedAssociations } from "../archive/availability/associations.ts";
import { governArchive } from "../archive/availability/govern-archive.ts";
import { limitRequests } from "../archive/availability/limit-requests.ts";
import { createPace, type Pace } from "../archive/availability/pace.ts";
import { createDicomWebArchive } from "../archive/dicomweb/dicomweb-archive.ts";
import { createDimseArchive } from "../archive/dimse/dimse-archive.ts";
import type { Expectations } from "../archive/expectations.ts";
import { createFolderArchive } from "../archive/folder/folder-archive.ts";
import type { InstanceTaker } from "../archive/http/staging-store.ts";
import { createOrthancArchive } from "../archive/orthanc/orthanc-archive.ts";
import { createRad69Archive } from "../archive/rad69/rad69-archive.ts";
import { createRefusals } from "../archive/refusals.ts";
import { dqrPreflight } from "../archive/xnat-dqr/preflight.ts";
import { createXnatDqrArchive } from "../archive/xnat-dqr/xnat-dqr-archive.ts";
import type { Settings } from "../config/settings.ts";
import type {
  ArchiveSettings,
  DicomWebArchiveSettings,
  DimseArchiveSettings,
  FolderArchiveSettings,
  OrthancArchiveSettings,
  Rad69ArchiveSettings,
  XnatDqrArchiveSettings,
} from "../config/settings-archives.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { IncomingInstance, StoreHandler } from "../network/dimse/service-types.ts";
import type { HttpClient } from "../network/http-client/types.ts";
import { meteredArchive } from "../observe/metered.ts";
import type { ArchiveFacts } from "../operations/context.ts";
import type { SharedPermits } from "../store/shared-permits.ts";
import type { Store } from "../store/store.ts";
import { type Clock, systemClock } from "../units/clock.ts";
import { isMissing } from "../units/durable-files.ts";
import type { Logger } from "../units/logger.ts";
import type { Metrics } from "../units/metrics.ts";
import { systemRandom } from "../units/random.ts";
import type { Traces } from "../units/traces.ts";
import { certificateFacts } from "./certificate-facts.ts";
import { connectionTo } from "./connections.ts";
import { httpClientOf } from "./open-destinations.ts";
import type { ViolationCounts } from "./violation-counts.ts";
import { xnatClientOf } from "./xnat-client.ts";

/** Nothing arriving for this long after an archive's final answer means that nothing more will. */
const QUIET_MS = 3_000;
/** No answer and no instance for this long ends a retrieval. */
const SILENCE_MS = 120_000;

/** How fast each archive's bytes may come in. */
export interface Paces {
  /** Takes note of the AE titles of further archives. */
  know(archives: Settings["archives"]): void;
  of(archive: string): Pace;
  /** By the AE title that an instance is sent with: what a C-MOVE brings comes over associations of the archive's own. */
  ofSender(incoming: IncomingInstance): Pace | undefined;
  /** The archive with that AE title; undefined when several have it, or none that is known. */
  archiveOf(incoming: IncomingInstance): string | undefined;
  /** Many archives send with another AE title than they are asked by: the first instance tells which. */
  noteSender(incoming: IncomingInstance, archive: string): void;
}

/** Archives send with a few AE titles; who invents new ones is not followed. */
const MAXIMUM_SENDERS = 1_000;

export function createPaces({ archives }: Settings, clock: Clock): Paces {
  const paces = new Map<string, Pace>();
  const nameBySender = new Map<string, string>();
  const ambiguous = new Set<string>();
  const add = (aeTitle: string, name: string): void => {
    if ((nameBySender.get(aeTitle) ?? name) !== name) ambiguous.add(aeTitle);
    nameBySender.set(aeTitle, name);
  };
  const know: Paces["know"] = (known) => {
    for (const archive of known) if (archive.kind === "dimse") add(archive.address.aeTitle, archive.name);
  };
  know(archives);
  const of = (archive: string): Pace => {
    const pace = paces.get(archive) ?? createPace(clock);
    paces.set(archive, pace);
    return pace;
  };
  return {
    know,
    of,
    ofSender({ callingAeTitle }) {
      const name = nameBySender.get(callingAeTitle);
      return name === undefined ? undefined : of(name);
    },
    noteSender({ callingAeTitle }, archive) {
      if (nameBySender.has(callingAeTitle) || nameBySender.size < MAXIMUM_SENDERS) add(callingAeTitle, archive);
    },
    archiveOf: ({ callingAeTitle }) => (ambiguous.has(callingAeTitle) ? undefined : nameBySender.get(callingAeTitle)),
  };
}

export interface Receiving {
  readonly expectations: Expectations;
  readonly paces: Paces;
  /** Takes what an archive sends over our own associations. */
  receive(archive: string): StoreHandler;
  /** Takes what we fetch by HTTP. */
  takerFor(archive: string): InstanceTaker;
}

/** For who only asks: nothing that came would have a place. */
export const TAKES_NOTHING: Omit<InstanceTaker, "expectations"> = {
  staging: { incoming: "", adopt: () => Promise.reject(new GatewayError("STAGING_UNAVAILABLE")) },
  refusals: createRefusals(),
  pace: createPace(systemClock),
  clock: systemClock,
  random: systemRandom,
};

interface Parts {
  readonly settings: Settings;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly violations: ViolationCounts;
  readonly metrics: Metrics;
  readonly traces: Traces;
  /** Undefined where nobody else asks the archives in our name. */
  readonly permits?: SharedPermits | undefined;
  /** How many gateways ask them. */
  readonly sharers?: (() => number) | undefined;
  /** Whether what is known of folders is written below home, for the next run. */
  readonly keepsIndexes?: boolean;
}

/**
 * Each archive of the settings, held to its windows, rate and rests.
 * @param reused one that is open already, and to be taken as it is
 */
export async function openArchives(
  parts: Parts,
  opened: AsyncDisposableStack,
  receiving: Receiving,
  reused: (name: string) => ArchiveFacts | undefined = () => undefined,
): Promise<ReadonlyMap<string, ArchiveFacts>> {
  const { settings, store, clock } = parts;
  if (parts.keepsIndexes === true) await forgetIndexes(settings);
  const archives = new Map<string, ArchiveFacts>();
  for (const archive of searchableFirst(settings.archives)) {
    const { name, availability } = archive;
    const before = reused(name);
    if (before !== undefined) {
      archives.set(name, before);
      continue;
    }
    const facts = await ownFacts(archive, parts, receiving, archives);
    opened.use(facts.archive);
    const pace = receiving.paces.of(name);
    const metered = meteredArchive(facts.archive, parts);
    const governed = governArchive(metered, { policy: availability, store, clock, pace, sharers: parts.sharers });
    archives.set(name, { ...facts, governed, availability });
  }
  return archives;
}

/** An archive that cannot be searched itself needs the one that is searched in its place. */
function searchableFirst(archives: readonly ArchiveSettings[]): readonly ArchiveSettings[] {
  const isSearchable = ({ kind }: ArchiveSettings): boolean => kind !== "rad69";
  return [...archives.filter(isSearchable), ...archives.filter((archive) => !isSearchable(archive))];
}

async function ownFacts(
  archive: ArchiveSettings,
  parts: Parts,
  receiving: Receiving,
  opened: ReadonlyMap<string, ArchiveFacts>,
): Promise<OwnFacts> {
  if (archive.kind === "dimse") return dimse(archive, parts, receiving);
  if (archive.kind === "folder") return folder(archive, parts, receiving);
  if (archive.kind === "xnat-dqr") return await xnatDqr(archive, parts, receiving);
  return archive.kind === "rad69"
    ? await rad69(archive, parts, receiving, opened)
    : await byHttp(archive, parts, receiving);
}

type OwnFacts = Omit<ArchiveFacts, "governed" | "availability">;

function dimse(settings: DimseArchiveSettings, parts: Parts, { expectations, receive }: Receiving): OwnFacts {
  const { name, address, retrieve, availability } = settings;
  const { clock, logger, violations } = parts;
  const archive = createDimseArchive({
    name,
    address,
    retrieve,
    logger,
    associations: availability.associations,
    shared: sharedBy(settings, parts),
    callingAeTitle: parts.settings.dicom.aeTitle,
    connection: connectionTo(parts.settings, settings, violations.note),
    quietMs: QUIET_MS,
    silenceMs: SILENCE_MS,
    clock,
    expectations,
    store: receive(name),
  });
  const endpoint = `${address.aeTitle}@${address.host}:${address.port}`;
  return { archive, endpoint, dimse: { address, retrieve }, ...certificateFacts(address, settings) };
}

async function byHttp(
  settings: DicomWebArchiveSettings | OrthancArchiveSettings,
  parts: Parts,
  { takerFor }: Receiving,
): Promise<OwnFacts> {
  const { name, url, availability } = settings;
  const { associations } = availability;
  const client = limited(await httpClientOf(settings, associations), settings, parts);
  const options = { name, client, associations, taker: takerFor(name) };
  const archive =
    settings.kind === "dicomweb"
      ? createDicomWebArchive(options)
      : createOrthancArchive({ ...options, modality: settings.modality });
  return { archive, endpoint: url };
}

/** Requests at once, of all nodes together where there are several. */
function limited(client: HttpClient, settings: ArchiveSettings, parts: Parts): HttpClient {
  const shared = sharedBy(settings, parts);
  return shared === undefined ? client : limitRequests(client, shared);
}

function sharedBy({ name, availability }: ArchiveSettings, { permits, clock }: Parts): Associations | undefined {
  const limit = { resource: `archive:${name}`, limit: availability.associations };
  return permits && createSharedAssociations({ permits, clock }, limit);
}

function indexesOf({ home }: Settings): string {
  return join(home, "archives");
}

/** Of folders that are no archives any more: they say who was examined. */
async function forgetIndexes(settings: Settings): Promise<void> {
  const folders = settings.archives.filter(({ kind }) => kind === "folder");
  const known = new Set(folders.flatMap(({ name }) => [`${name}.index`, `${name}.index.part`]));
  const path = indexesOf(settings);
  const names = await readdir(path).catch((thrown: unknown) => {
    if (isMissing(thrown)) return [];
    throw thrown;
  });
  for (const name of names) if (!known.has(name)) await rm(join(path, name), { recursive: true, force: true });
}

function folder(
  { name, path, availability }: FolderArchiveSettings,
  { settings, logger, keepsIndexes: isWritten = false }: Parts,
  receiving: Receiving,
): OwnFacts {
  const { associations } = availability;
  const index = { path: join(indexesOf(settings), `${name}.index`), isWritten };
  const archive = createFolderArchive({ name, path, associations, logger, index, taker: receiving.takerFor(name) });
  return { archive, endpoint: path, checks: archive.checks };
}

async function xnatDqr(settings: XnatDqrArchiveSettings, parts: Parts, { takerFor }: Receiving): Promise<OwnFacts> {
  const { name, url, project, pacs: pacsId, receiver, availability } = settings;
  const { associations } = availability;
  const client = limited(await xnatClientOf(settings, associations), settings, parts);
  const landing = { project, pacsId, receiver };
  const archive = createXnatDqrArchive({ name, client, associations, taker: takerFor(name), ...landing });
  return { archive, endpoint: url, checks: dqrPreflight({ client, clock: parts.clock, ...landing }) };
}

async function rad69(
  settings: Rad69ArchiveSettings,
  parts: Parts,
  { takerFor }: Receiving,
  opened: ReadonlyMap<string, ArchiveFacts>,
): Promise<OwnFacts> {
  const { name, url, repositoryUniqueId, search, availability } = settings;
  const { associations } = availability;
  const searched = opened.get(search)?.governed;
  // `config check` has seen to it that the name is known.
  if (searched === undefined) throw new GatewayError("INTERNAL", { name });
  const http = limited(await httpClientOf(settings, associations), settings, parts);
  const client = { http, url, repositoryUniqueId };
  const archive = createRad69Archive({ name, client, associations, taker: takerFor(name), searched });
  return { archive, endpoint: url };
}
