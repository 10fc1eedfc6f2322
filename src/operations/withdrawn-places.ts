import { openWithdrawnKey, type WithdrawnKey } from "../deid/pseudonyms/withdrawn-key.ts";
import { parseStudyInstanceUid } from "../dicom/uid.ts";
import type { StagingArea } from "../staging/staging-area.ts";
import { SILENT_MS } from "../store/nodes.ts";
import type { Store } from "../store/store.ts";
import type { PlaceToClear, WithdrawalRecord } from "../store/withdrawals.ts";
import type { Actor } from "../units/actor.ts";
import type { Clock } from "../units/clock.ts";
import type { WithdrawnFacts } from "./context.ts";
import { withdrawalEvent } from "./withdrawal-document.ts";

/** Withdrawals that a node sees to at once; what is more comes next. */
const MOST_PLACES = 1_000;
/** Nodes look every two seconds: who is at work has removed what it had by then. */
const LOOKS = 12;
const LOOK_MS = 500;

interface AskingContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly withdrawn: WithdrawnFacts;
}

/** Names the studies to the nodes by digests, as who they are of is about to be forgotten. @throws GatewayError KEY_FILE_…, WITHDRAWN_KEY_OTHER */
export async function askPlaces(
  { store, clock, withdrawn }: AskingContext,
  { number, project, digest, jobs, places }: WithdrawalRecord,
  opened?: WithdrawnKey,
): Promise<void> {
  if (places.every(({ state }) => state !== "stopping")) return;
  const key = opened ?? (await openWithdrawnKey(withdrawn.keyFile));
  // By another key no node would find a study.
  await store.isWithdrawn({ project, digest, keyId: key.id });
  const studies = jobs.flatMap(({ job, studyInstanceUid }) =>
    studyInstanceUid === undefined ? [] : [{ job, studyDigest: key.studyDigest(studyInstanceUid) }],
  );
  await store.askPlaces(number, studies, clock.nowMs());
}

/** What lay in this home has been removed. What a running service alone may remove, it does itself. */
export async function settleOwnPlaces({ store, clock, withdrawn }: AskingContext, number: number): Promise<void> {
  for (const node of await withdrawn.nodes()) await store.settlePlace(number, node, clock.nowMs());
}

/** Gives nodes that are at work the time to remove what they have. Answers the withdrawals as they are then. */
export async function awaitPlaces(
  { store, clock, withdrawn: { soleNode } }: AskingContext,
  records: readonly WithdrawalRecord[],
  signal: AbortSignal,
): Promise<readonly WithdrawalRecord[]> {
  let now = records;
  for (let look = 0; look < LOOKS; look += 1) {
    const atWork = new Set(soleNode === undefined ? await nodesAtWork(store, clock) : [soleNode]);
    if (!now.some(({ places }) => places.some(({ node, state }) => state === "waiting" && atWork.has(node)))) break;
    await clock.sleep(LOOK_MS, signal);
    now = await Promise.all(
      now.map(async (record) =>
        record.state === "done" ? record : ((await store.withdrawal(record.project, record.digest)) ?? record),
      ),
    );
  }
  return now;
}

async function nodesAtWork(store: Store, clock: Clock): Promise<readonly string[]> {
  const silentSinceMs = clock.nowMs() - SILENT_MS;
  return (await store.listNodes()).filter(({ seenAtMs }) => seenAtMs > silentSinceMs).map(({ name }) => name);
}

/** What a running service removes from its own disk. */
export interface PlaceContext {
  readonly actor: Actor;
  readonly store: Store;
  readonly clock: Clock;
  /** Of the withdrawn list. */
  readonly keyFile: string;
  /** Names that this home goes by. */
  readonly nodes: readonly string[];
  readonly staging: Pick<StagingArea, "studies" | "removeStudy">;
  /** De-identified copies of a job: on their way, and those that a hook works on. */
  removeCopiesOf(job: string): Promise<void>;
  /** What was discarded of what was sent unasked. */
  sweepUnasked(): Promise<void>;
}

/** Removes what this node was asked to, and answers of how many withdrawals. @throws GatewayError KEY_FILE_…, WITHDRAWN_KEY_OTHER, STAGING_…, STORE_… */
export async function clearPlaces(context: PlaceContext, signal: AbortSignal): Promise<number> {
  const places = await placesOf(context);
  if (places.length === 0) return 0;
  const { store, clock, actor } = context;
  await removeStudies(context, places, signal);
  for (const { job } of places.flatMap(({ jobs }) => jobs)) await context.removeCopiesOf(job);
  await context.sweepUnasked();
  let cleared = 0;
  for (const { withdrawal, project, digest, node } of places) {
    if (!(await store.settlePlace(withdrawal, node, clock.nowMs()))) continue;
    const audit = withdrawalEvent(actor, "patient-withdrawal-ended", { project, digest });
    await store.forgetWithdrawn(withdrawal, audit, clock.nowMs());
    cleared += 1;
  }
  if (cleared > 0) await store.emptyJournal();
  return cleared;
}

/** The key is opened where there is something to look for. */
async function placesOf({ store, nodes, keyFile }: PlaceContext): Promise<readonly PlaceToClear[]> {
  const places: PlaceToClear[] = [];
  for (const node of nodes) {
    if (!(await store.isAwaited(node))) continue;
    const { id: keyId } = await openWithdrawnKey(keyFile);
    places.push(...(await store.placesToClear({ node, keyId }, MOST_PLACES)));
  }
  return places;
}

/** What another project's work under way needs stays until staging's retention takes it. */
async function removeStudies(
  { store, staging, keyFile }: PlaceContext,
  places: readonly PlaceToClear[],
  signal: AbortSignal,
): Promise<void> {
  const wanted = new Set(places.flatMap(({ jobs }) => jobs.flatMap(({ studyDigest }) => studyDigest ?? [])));
  if (wanted.size === 0) return;
  const key = await openWithdrawnKey(keyFile);
  for (const { study } of await staging.studies()) {
    signal.throwIfAborted();
    if (wanted.has(key.studyDigest(study)) && !(await store.studyIsNeeded(study)))
      await staging.removeStudy(parseStudyInstanceUid(study));
  }
}
