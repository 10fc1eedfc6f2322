import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { concurrently } from "../src/units/concurrently.ts";

/**
 * `pixl-polling-main.ts FILE`: the requests that PIXL's own imaging API makes of orthanc-raw for a study of its primary archive that is not
 * there yet, in its order, with five messages in flight, and jobs looked at every ten seconds. Prints how long it took.
 */
const [file = ""] = process.argv.slice(2);
const work: { readonly environment: Record<string, string>; readonly messages: readonly string[] } = JSON.parse(
  await readFile(file, "utf8"),
);
const IN_FLIGHT = 5;
const POLL_MS = 10_000;
const { ORTHANC_RAW_URL = "", PRIMARY_DICOM_SOURCE_MODALITY = "", ORTHANC_RAW_AE_TITLE = "" } = work.environment;

async function ask(path: string, body?: object): Promise<unknown> {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(`${ORTHANC_RAW_URL}${path}`, init);
  if (!response.ok) throw new Error(`${path} was answered ${response.status}`);
  return await response.json();
}

function fieldOf(answer: unknown, name: string): string {
  const value = answer !== null && typeof answer === "object" && name in answer ? Reflect.get(answer, name) : undefined;
  if (typeof value !== "string") throw new Error(`no ${name} in the answer`);
  return value;
}

async function finish(job: string): Promise<void> {
  let state = "Pending";
  while (state !== "Success") {
    if (state === "Failure") throw new Error("the job failed");
    await delay(POLL_MS);
    state = fieldOf(await ask(`/jobs/${job}`), "State");
  }
}

async function processOne(StudyInstanceUID: string): Promise<void> {
  const wanted = { Level: "Study", Query: { StudyInstanceUID } };
  await ask("/jobs?expand");
  const query = fieldOf(await ask(`/modalities/${PRIMARY_DICOM_SOURCE_MODALITY}/query`, wanted), "ID");
  await ask(`/queries/${query}/answers`);
  await ask("/tools/find", wanted);
  const retrieve = { TargetAet: ORTHANC_RAW_AE_TITLE, Synchronous: false };
  await finish(fieldOf(await ask(`/queries/${query}/retrieve`, retrieve), "ID"));
  const found = await ask("/tools/find", wanted);
  const resources = Array.isArray(found) ? found : [];
  for (const id of resources) await ask(`/studies/${id}`);
  await ask("/modalities/PIXL-Anon/store", { Resources: resources, Asynchronous: true });
}

const studies = work.messages.map((message) => fieldOf(JSON.parse(message), "study_uid"));
const startedAtMs = performance.now();
await concurrently(studies, IN_FLIGHT, processOne);
const seconds = (performance.now() - startedAtMs) / 1_000;
process.stdout.write(`${JSON.stringify({ seconds, handedOver: studies.length, requests: 0 })}\n`);
