import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ErrorCode } from "../../src/errors/registry.ts";
import type { StudyDocument } from "../../src/operations/documents.ts";
import { freePort } from "../peers/process.ts";
import { type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import { type ApiSite, openApiSite } from "../support/api.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startFaultProxy } from "./fault-proxy.ts";
import type { ConnectionKind } from "./kinds.ts";
import { introduce, stageOf, type World } from "./world.ts";

const INSTANCES = 4;
/** The longest silence that the product waits out, and some. */
const LONGEST_MS = 420_000;
const LOOK_MS = 50;
const RETRY = { attempts: 40, firstDelaySeconds: 0.3, maximumDelaySeconds: 0.6 };

/** What became of a study whose connection was interfered with. */
export interface Outcome {
  /** What it waited with while that lasted. */
  readonly seen: ErrorCode | undefined;
  readonly hits: number;
  readonly study: StudyDocument;
}

/** Fetches and delivers one study through the fault, mends the connection once the study waits, and goes on to the end. */
export async function rehearse(kind: ConnectionKind, world: World, seed: number): Promise<Outcome> {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await temporaryFolder());
  const study = syntheticStudy({ seed, modality: "CT", instancesPerSeries: INSTANCES, rows: 128, columns: 128 });
  await load(world, study);
  const [dicomPort, aeTitle] = [await freePort(), `RAD${seed}`];
  const { place, fault, direction = "from", afterBytes = 0, seen } = kind;
  const stage = stageOf(place, world, dicomPort, join(folder, "delivered"));
  const proxy = opened.use(await startFaultProxy(stage.targetPort, { kind: fault, direction, afterBytes }));
  await introduce(world, aeTitle, stage.sendsToProxy ? proxy.port : dicomPort);
  const settings = {
    dicom: { aeTitle, port: dicomPort },
    retry: RETRY,
    archives: [{ name: "archive", ...stage.archive(proxy.port) }],
    destinations: [{ name: "store", ...stage.destination(proxy.port) }],
    projects: [
      {
        name: `p${seed}`,
        archives: ["archive"],
        destinations: ["store"],
        profile: "research",
        keyFile: join(world.folder, "project.key"),
      },
    ],
  };
  const site = opened.use(await openApiSite({ settings }));
  await site.call("POST", `/cohorts?project=p${seed}`, {
    body: `study_instance_uid\n${study.studyInstanceUid}\n`,
    headers: { "content-type": "text/csv" },
  });
  const during = await until(site, ({ state, code }) => isDone(state) || (state === "waiting" && code !== undefined));
  if (seen !== undefined || !isDone(during.state)) proxy.mend();
  const end = isDone(during.state) ? during : await until(site, ({ state }) => isDone(state));
  return { seen: isDone(during.state) ? undefined : during.code, hits: proxy.hits, study: end };
}

async function load({ archive }: World, { instances }: SyntheticStudy): Promise<void> {
  for (const { file } of instances) {
    const { ok, status } = await fetch(`http://127.0.0.1:${archive.httpPort}/instances`, {
      method: "POST",
      body: file,
    });
    if (!ok) throw new Error(`the archive answered ${status}`);
  }
}

const UNDER_WAY: ReadonlySet<string> = new Set(["queued", "waiting", "running"]);

function isDone(state: string): boolean {
  return !UNDER_WAY.has(state);
}

async function until(site: ApiSite, isWanted: (study: StudyDocument) => boolean): Promise<StudyDocument> {
  for (let waitedMs = 0; waitedMs < LONGEST_MS; waitedMs += LOOK_MS) {
    const { json } = await site.call("GET", "/studies");
    const [study] = (json as { readonly items: readonly StudyDocument[] }).items;
    if (study !== undefined && isWanted(study)) return study;
    await delay(LOOK_MS);
  }
  throw new Error("the study never came into the wanted state");
}
