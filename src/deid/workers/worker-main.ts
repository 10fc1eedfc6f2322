import { parentPort } from "node:worker_threads";
import type { Deidentifier } from "../deidentifier.ts";
import { createIdentifiers } from "../verification/needles.ts";
import { searchFiles } from "../verification/search-files.ts";
import {
  createStudyObserver,
  type Observation,
  observerOfOneAlone,
  type StudyObserver,
} from "../verification/study-observer.ts";
import { failureOf } from "./failures.ts";
import type { FromWorker, InstanceWork, SearchWork, ToWorker, Work, WorkResult } from "./protocol.ts";
import { deidentifierOf, type EngineRecipe } from "./recipe.ts";
import { createSummaryTeller } from "./shared-summaries.ts";

interface Call {
  readonly call: number;
  readonly work: Work;
  readonly abort: AbortController;
}

interface Engine {
  readonly deidentifier: Deidentifier;
  readonly tell: ReturnType<typeof createSummaryTeller>;
}

interface Study {
  readonly observer: StudyObserver;
  /** What the instance under way told. */
  observation: Observation | undefined;
}

const port = parentPort;
if (port === null) throw new Error("runs as a worker thread only");

const say = (message: FromWorker): void => port.postMessage(message);
const recipes = new Map<number, EngineRecipe>();
const engines = new Map<number, Engine>();
const studies = new Map<number, Study>();
const calls: Call[] = [];
let isWorking = false;

port.on("message", (message: ToWorker) => {
  if ("recipe" in message) recipes.set(message.engine, message.recipe);
  else if ("forgetStudy" in message) studies.delete(message.forgetStudy);
  else if ("forgetEngine" in message) forgetEngine(message.forgetEngine);
  else if ("abort" in message) calls.find(({ call }) => call === message.abort)?.abort.abort();
  else calls.push({ ...message, abort: new AbortController() });
  if (!isWorking) void workOff();
});
say({ ready: true });

/** One after the other: what is under way is always the oldest that was not answered. */
async function workOff(): Promise<void> {
  isWorking = true;
  for (let next = calls[0]; next !== undefined; next = calls[0]) {
    const { call, work, abort } = next;
    const answer = await resultOf(work, abort.signal).then(
      (result): FromWorker => ({ call, result }),
      (thrown: unknown): FromWorker => ({ call, failure: failureOf(thrown) }),
    );
    calls.shift();
    say(answer);
    // Lets messages in: what is called off is not begun.
    await new Promise(setImmediate);
  }
  isWorking = false;
}

function resultOf(work: Work, signal: AbortSignal): Promise<WorkResult> {
  return work.kind === "instance" ? deidentify(work, signal) : search(work, signal);
}

async function deidentify({ engine, study: number, task }: InstanceWork, signal: AbortSignal): Promise<WorkResult> {
  const { deidentifier, tell } = engines.get(engine) ?? (await makeEngine(engine));
  const study = studies.get(number) ?? newStudy();
  studies.set(number, study);
  study.observation = undefined;
  const outcome = await deidentifier.instance(
    { ...task, study: task.isAlone === true ? observerOfOneAlone(study.observer) : study.observer },
    signal,
  );
  const told = outcome.kind === "deidentified" ? { ...outcome, summary: tell(outcome.summary) } : outcome;
  return { kind: "instance", outcome: told, observation: study.observation };
}

async function makeEngine(number: number): Promise<Engine> {
  const recipe = recipes.get(number);
  if (recipe === undefined) throw new TypeError("an engine without a recipe");
  const engine = { deidentifier: await deidentifierOf(recipe), tell: createSummaryTeller() };
  engines.set(number, engine);
  recipes.delete(number);
  return engine;
}

function forgetEngine(number: number): void {
  recipes.delete(number);
  engines.delete(number);
}

function newStudy(): Study {
  const study: Study = {
    observer: createStudyObserver(
      (observation) => {
        study.observation = observation;
      },
      () => performance.now(),
    ),
    observation: undefined,
  };
  return study;
}

async function search({ files, identifiers: texts }: SearchWork, signal: AbortSignal): Promise<WorkResult> {
  const identifiers = createIdentifiers();
  for (const [source, text, kind] of texts) identifiers.add(source, text, kind);
  return { kind: "search", hits: await searchFiles(files, identifiers, signal) };
}
