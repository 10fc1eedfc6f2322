import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ErrorCode } from "../../src/errors/registry.ts";
import type { StudyDocument } from "../../src/operations/documents.ts";
import type { LedgerEntry } from "../../src/store/records.ts";
import { openSqliteStore } from "../../src/store/sqlite/open.ts";
import { freePort } from "../peers/free-port.ts";
import type { OrthancServer } from "../peers/orthanc.ts";
import { type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import { type ApiSite, openApiSite } from "../support/api.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { examine, type Held, heldInFolder, heldInOrthanc } from "./evidence.ts";
import { startFaultProxy } from "./fault-proxy.ts";
import type { ConnectionKind, End, Place } from "./kinds.ts";
import { introduce, stageOf, type World } from "./world.ts";

const INSTANCES = 4;
/** The longest silence that the product waits out, and some. */
const LONGEST_MS = 420_000;
const LOOK_MS = 100;
const RETRY = { attempts: 40, firstDelaySeconds: 0.3, maximumDelaySeconds: 0.6 };

/** What became of a study, as the table of kinds has it. */
export interface Outcome {
  /** What it waited with while the fault lasted, or ended with. */
  readonly seen: ErrorCode | undefined;
  readonly end: End | string;
  /** What is wrong at the destination. */
  readonly problems: readonly string[];
  readonly isDamageUnseen: boolean;
}

export function chaosStudy(seed: number): SyntheticStudy {
  return syntheticStudy({ seed, modality: "CT", instancesPerSeries: INSTANCES, rows: 128, columns: 128 });
}

/** Fetches and delivers one study through the fault, mends the connection once the study waits, and goes on to the end. */
export async function rehearseConnection(kind: ConnectionKind, world: World, seed: number): Promise<Outcome> {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await temporaryFolder());
  const study = chaosStudy(seed);
  await load(world.archive, study);
  const [dicomPort, aeTitle] = [await freePort(), `RAD${seed}`];
  const { place, fault, direction, afterBytes, seen } = kind;
  const stage = stageOf(place, world, dicomPort, join(folder, "delivered"));
  const kindOfFault = fault === "corrupt-head" ? "corrupt" : fault;
  const proxy = opened.use(await startFaultProxy(stage.targetPort, { kind: kindOfFault, direction, afterBytes }));
  await introduce(world, aeTitle, stage.sendsToProxy ? proxy.port : dicomPort);
  const project = `p${seed}`;
  const settings = settingsOf({
    ...{ aeTitle, dicomPort, project, keyFile: join(world.folder, "project.key") },
    archive: stage.archive(proxy.port),
    destination: stage.destination(proxy.port),
  });
  const site = opened.use(await openApiSite({ settings }));
  await submit(site, project, study);
  const during = await until(site, isHeldUp);
  if (proxy.hits === 0) throw new Error("the fault hit no connection");
  if (seen !== undefined || !isDone(during)) proxy.mend();
  const end = await until(site, isDone);
  const ledger = await ledgerOf(join(site.service.folder, "home"), end.id);
  return outcomeOf({
    seen: during.code,
    end,
    study,
    ledger,
    held: await heldAt(place, world, folder, project, ledger),
  });
}

interface Finding {
  readonly seen: ErrorCode | undefined;
  readonly end: StudyDocument;
  readonly study: SyntheticStudy;
  readonly ledger: readonly LedgerEntry[];
  readonly held: Held;
}

export async function outcomeOf({ seen, end, study, ledger, held }: Finding): Promise<Outcome> {
  if (end.state !== "delivered") {
    const problems = end.delivered === 0 ? [] : [`${end.delivered} instances are said to be delivered`];
    return { seen, end: end.state, problems: [...problems, ...held.leftovers], isDamageUnseen: false };
  }
  const { problems, isDamaged } = await examine(held, ledger, study);
  const more = end.verdict === "complete" ? [] : [`the verdict is ${end.verdict}`];
  return { seen, end: "delivered", problems: [...problems, ...more], isDamageUnseen: isDamaged };
}

export interface SceneSettings {
  readonly aeTitle: string;
  readonly dicomPort: number;
  readonly project: string;
  readonly keyFile: string;
  readonly archive: Readonly<Record<string, unknown>>;
  readonly destination: Readonly<Record<string, unknown>>;
}

export function settingsOf(scene: SceneSettings): Readonly<Record<string, unknown>> {
  const { aeTitle, dicomPort, project, keyFile, archive, destination } = scene;
  return {
    dicom: { aeTitle, port: dicomPort },
    retry: RETRY,
    archives: [{ name: "archive", ...archive }],
    destinations: [{ name: "store", ...destination }],
    projects: [{ name: project, archives: ["archive"], destinations: ["store"], profile: "research", keyFile }],
  };
}

export async function submit(site: Pick<ApiSite, "call">, project: string, study: SyntheticStudy): Promise<void> {
  const { status, text } = await site.call("POST", `/cohorts?project=${project}`, {
    body: `study_instance_uid\n${study.studyInstanceUid}\n`,
    headers: { "content-type": "text/csv" },
  });
  if (status >= 300) throw new Error(text);
}

async function heldAt(
  place: Place,
  world: World,
  folder: string,
  project: string,
  ledger: readonly LedgerEntry[],
): Promise<Held> {
  if (place === "destination-s3") return heldInFolder(world.s3.folder, project);
  if (place === "destination-sftp") return heldInFolder(world.sshd.folder, project);
  if (!place.startsWith("destination")) return heldInFolder(join(folder, "delivered"), project);
  const held = await heldInOrthanc(world.store, ledger);
  return place === "destination-dimse" ? { ...held, hasOwnHeader: true } : held;
}

/** Of a gateway on SQLite, which may be running. */
export async function ledgerOf(home: string, job: string): Promise<readonly LedgerEntry[]> {
  await using store = await openSqliteStore({ path: join(home, "radferry.db") });
  return await store.ledger(job);
}

export async function load({ httpPort }: OrthancServer, { instances }: SyntheticStudy): Promise<void> {
  for (const { file } of instances) {
    const body = new Uint8Array(file);
    const { ok, status } = await fetch(`http://127.0.0.1:${httpPort}/instances`, { method: "POST", body });
    if (!ok) throw new Error(`the archive answered ${status}`);
  }
}

const UNDER_WAY: ReadonlySet<string> = new Set(["queued", "waiting", "running"]);

export function isDone({ state }: StudyDocument): boolean {
  return !UNDER_WAY.has(state);
}

/** Waits with a code, or is at its end. */
export function isHeldUp(study: StudyDocument): boolean {
  return isDone(study) || (study.state === "waiting" && study.code !== undefined);
}

async function until(site: Pick<ApiSite, "call">, isWanted: (study: StudyDocument) => boolean): Promise<StudyDocument> {
  for (let waitedMs = 0; waitedMs < LONGEST_MS; waitedMs += LOOK_MS) {
    const { json } = await site.call("GET", "/studies");
    const [study] = (json as { readonly items: readonly StudyDocument[] }).items;
    if (study !== undefined && isWanted(study)) return study;
    await delay(LOOK_MS);
  }
  throw new Error("the study never came into the wanted state");
}
