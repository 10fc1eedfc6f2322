import { z } from "zod";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { ask } from "../../network/rest/orthanc/ask.ts";
import { echoModality, modalityNames } from "../../network/rest/orthanc/modalities.ts";
import { check, type Examination } from "../../operations/doctor.ts";
import type { DoctorCheck, DoctorDocument } from "../../operations/documents.ts";
import { abortAfter } from "../../units/abort.ts";
import type { Clock } from "../../units/clock.ts";
import { openDatabase } from "./database/connection.ts";
import { currentRevision } from "./database/migrate.ts";
import { BASE, HEAD, placeOf } from "./database/revisions.ts";
import { openBroker } from "./intake/broker.ts";
import { IMAGING_QUEUES, PARKED_QUEUE } from "./intake/queues.ts";
import { openProcessing, type Processing } from "./processing/processing.ts";
import type { OrthancSettings, PixlSettings } from "./settings.ts";

/** Longest time for one question. */
const CHECK_TIMEOUT_MS = 15_000;
/** No clock that is right is before this. */
const EARLIEST_SANE_MS = Date.UTC(2025, 0, 1);

export interface DoctorWorld {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

type Ask = (name: string, examination: (signal: AbortSignal) => Promise<string>) => Promise<DoctorCheck>;

/** Asks everything that the imaging API needs; every check is made, whatever the others say. Queues that are not there are declared. */
export async function examinePixl(settings: PixlSettings, { clock, signal }: DoctorWorld): Promise<DoctorDocument> {
  const inTime: Ask = (name, examination) => {
    const limited: Examination = async () => {
      using deadline = abortAfter(CHECK_TIMEOUT_MS, signal);
      return await examination(deadline);
    };
    return check(name, limited);
  };
  await using processing = openProcessing(settings, { clock });
  const checks = [
    await check("clock is sane", () => saneClock(clock)),
    ...(await examineBroker(settings, inTime)),
    await check("database is at its head", () => atHead(settings)),
    ...(await examineOrthancs(processing, inTime)),
    await check("hours of the secondary archive", () => hoursOf(processing)),
  ];
  return { ok: checks.every(({ ok }) => ok), checks, letters: [] };
}

async function saneClock(clock: Clock): Promise<string> {
  if (clock.nowMs() < EARLIEST_SANE_MS) throw new GatewayError("CLOCK_WRONG");
  return new Date(clock.nowMs()).toISOString();
}

/** With any other arguments the broker refuses to declare a queue that is there. */
async function examineBroker({ broker: options }: PixlSettings, inTime: Ask): Promise<readonly DoctorCheck[]> {
  await using broker = openBroker({ ...options, timeoutMs: CHECK_TIMEOUT_MS / 3 });
  const checks: DoctorCheck[] = [];
  for (const queue of [...IMAGING_QUEUES, PARKED_QUEUE]) {
    const name = `queue ${queue} is declared as PIXL does`;
    checks.push(await inTime(name, async () => `${await broker.count(queue)} messages ready`));
  }
  return checks;
}

async function atHead({ database: options, migrates }: PixlSettings): Promise<string> {
  await using database = await openDatabase(options);
  const revision = await currentRevision(database);
  const isHead = placeOf(revision) === placeOf(HEAD);
  if (isHead) return HEAD;
  if (!migrates) throw new GatewayError("PIXL_DATABASE_BEHIND", { revision: revision ?? BASE });
  return `${revision ?? BASE}; brought to ${HEAD} at the next start`;
}

const systemShape = z.object({ Version: z.string(), DicomAet: z.string() });

async function examineOrthancs({ settings, raw, anon }: Processing, inTime: Ask): Promise<readonly DoctorCheck[]> {
  const system = async (client: HttpClient, { aeTitle }: OrthancSettings, signal: AbortSignal): Promise<string> => {
    const { Version, DicomAet } = await ask(client, systemShape, { path: "system", signal });
    if (DicomAet !== aeTitle) throw new GatewayError("PIXL_AE_TITLE_DIFFERS");
    return `Orthanc ${Version} with the AE title it should have`;
  };
  const checks = [
    await inTime("orthanc-raw answers", (signal) => system(raw, settings.raw, signal)),
    await inTime("orthanc-anon answers", (signal) => system(anon, settings.anon, signal)),
  ];
  for (const [purpose, modality] of modalitiesOf(settings)) {
    const known = `orthanc-raw knows ${purpose} as ${modality}`;
    const isKnown = await inTime(known, async (signal) => {
      if ((await modalityNames(raw, signal)).includes(modality)) return "yes";
      throw new GatewayError("ORTHANC_MODALITY_UNKNOWN");
    });
    checks.push(isKnown);
    if (!isKnown.ok) continue;
    const echo = async (signal: AbortSignal): Promise<string> => {
      await echoModality(raw, modality, signal);
      return "yes";
    };
    checks.push(await inTime(`${modality} answers orthanc-raw's C-ECHO`, echo));
  }
  return checks;
}

function modalitiesOf({ primary, secondary, handover, anonModality }: PixlSettings): ReadonlyMap<string, string> {
  return new Map([
    ["the primary archive", primary.modality],
    // A second archive of the same AE title is none.
    ...(secondary.aeTitle === primary.aeTitle ? [] : [["the secondary archive", secondary.modality] as const]),
    ...(handover === "c-store" ? [["orthanc-anon", anonModality] as const] : []),
  ]);
}

async function hoursOf({ sources, clock }: Processing): Promise<string> {
  const nowMs = clock.nowMs();
  const opensAtMs = sources.secondary.hours(nowMs);
  return opensAtMs <= nowMs ? "open now" : `closed until ${new Date(opensAtMs).toISOString()}`;
}
