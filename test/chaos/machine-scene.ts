import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ErrorCode } from "../../src/errors/registry.ts";
import type { StudyDocument } from "../../src/operations/documents.ts";
import type { LedgerEntry } from "../../src/store/records.ts";
import type { Clock } from "../../src/units/clock.ts";
import { freePort } from "../peers/free-port.ts";
import { type ApiSite, openApiSite } from "../support/api.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { heldInFolder } from "./evidence.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { type GatewayProcess, startGatewayProcess } from "./gateway-process.ts";
import {
  type ArchivePeer,
  type ArchiveWay,
  type Machine,
  openArchive,
  openStorePeer,
  type StoreKind,
  type StorePeer,
} from "./machine-peers.ts";
import { chaosStudy, isDone, isHeldUp, ledgerOf, type Outcome, outcomeOf, settingsOf, submit } from "./rehearse.ts";

/** One study on its way, and machines of its own that it needs. */
export interface Scene {
  readonly archive: Machine;
  /** Where it goes, unless that is a folder. */
  readonly store: Machine | undefined;
  /** In front of the archive, or of the store: it makes the way long enough for something to happen on it. */
  readonly proxy: FaultProxy;
  readonly site: Pick<ApiSite, "call">;
  /** The gateway's, where it is a program of its own. */
  readonly gateway: GatewayProcess | undefined;
  readonly folder: string;
}

export interface SceneOptions {
  /** @default get */
  readonly archive?: ArchiveWay;
  /** @default folder */
  readonly destination?: "folder" | StoreKind;
  /** Where the slow connection is. @default archive */
  readonly slow?: "archive" | "destination";
  /** Whether the gateway is a program of its own. @default false */
  readonly isProcess?: boolean;
  /** Further settings of the archive or the destination, whichever has the slow connection. */
  readonly peer?: Readonly<Record<string, unknown>>;
  /** Further settings. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly destinationPath?: string;
  readonly clock?: Clock;
  /** Where the gateway has its store, if not below a folder of its own. */
  readonly home?: string;
  /** Of a job, where it is not in the gateway's home. */
  readonly ledger?: (job: string) => Promise<readonly LedgerEntry[]>;
  strike(scene: Scene): Promise<void> | void;
  /** What an operator sees meanwhile, where the study cannot tell it. @default what the study waits with */
  see?(scene: Scene): Promise<ErrorCode | undefined>;
  /** What ends it, once the study waits. @default nothing */
  mend?(scene: Scene): Promise<void> | void;
}

const LOOK_MS = 20;
const LONGEST_MS = 420_000;

/** Fetches and delivers one study, strikes when it is on its way, mends when it waits, and goes on to the end. */
export async function rehearseScene(seed: number, options: SceneOptions): Promise<Outcome> {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await temporaryFolder());
  const { archive: way = "get", destination = "folder", slow = "archive" } = options;
  const [dicomPort, aeTitle, project] = [await freePort(), `RAD${seed}`, `p${seed}`];
  const place = { opened, folder };
  const archive = await openArchive(way, place, { aeTitle, port: dicomPort });
  const store = destination === "folder" ? undefined : await openStorePeer(destination, place);
  const study = chaosStudy(seed);
  await archive.load(study);
  const delivered = options.destinationPath ?? join(folder, "delivered");
  const behind = (slow === "archive" ? archive : store) ?? archive;
  const proxy = opened.use(await startFaultProxy(behind.port, behind.slow));
  const portOf = (peer: ArchivePeer | StorePeer): number => (peer === behind ? proxy.port : peer.port);
  const keyFile = join(folder, "project.key");
  await writeFile(keyFile, `${"ab".repeat(32)}\n`, { mode: 0o600 });
  const settings = {
    ...settingsOf({
      ...{ aeTitle, dicomPort, project, keyFile },
      archive: { ...archive.settings(portOf(archive)), ...(behind === archive ? options.peer : {}) },
      destination:
        store === undefined
          ? { kind: "folder", path: delivered }
          : { ...store.settings(portOf(store)), ...(behind === store ? options.peer : {}) },
    }),
    ...options.settings,
  };
  const gateway = options.isProcess ? opened.use(await startGatewayProcess(folder, settings)) : undefined;
  const { clock } = options;
  const service = gateway ?? opened.use(await openApiSite({ settings, ...(clock === undefined ? {} : { clock }) }));
  const scene: Scene = { archive: archive.machine, store: store?.machine, proxy, folder, site: service, gateway };
  await submit(service, project, study);
  while (proxy.hits === 0) await delay(LOOK_MS);
  await options.strike(scene);
  const during = options.see ? { study: undefined, code: await options.see(scene) } : await sightOf(service, isHeldUp);
  if (during.study === undefined || !isDone(during.study)) await options.mend?.(scene);
  const { study: end } = await sightOf(service, isDone, true);
  if (end === undefined) throw new Error("the study is not listed");
  const home = options.home ?? ("service" in service ? join(service.service.folder, "home") : service.home);
  const ledger = await (options.ledger?.(end.id) ?? ledgerOf(home, end.id));
  const held = await (store?.held(project, ledger) ?? heldInFolder(delivered, project));
  return await outcomeOf({ seen: during.code, end, study, ledger, held });
}

interface Sight {
  readonly study: StudyDocument | undefined;
  /** The study's; or what the gateway answers instead of its studies. */
  readonly code: ErrorCode | undefined;
}

/** Looks until the one study is as wanted, or until the gateway says why it cannot tell. */
async function sightOf(
  site: Pick<ApiSite, "call">,
  isWanted: (study: StudyDocument) => boolean,
  isPatient = false,
): Promise<Sight> {
  for (const startedAtMs = performance.now(); performance.now() - startedAtMs < LONGEST_MS; await delay(LOOK_MS)) {
    const answer = await site.call("GET", "/studies").catch(() => undefined);
    const json = (answer?.json ?? {}) as { readonly items?: readonly StudyDocument[]; readonly code?: ErrorCode };
    const study = json.items?.[0];
    if (study !== undefined && isWanted(study)) return { study, code: study.code };
    if (json.code !== undefined && !isPatient) return { study: undefined, code: json.code };
  }
  throw new Error("the study never came into the wanted state");
}
