import { resolve } from "node:path";
import { openDatabase } from "../../../compat/pixl/database/connection.ts";
import { copyToExports } from "../../../compat/pixl/driver/export-folder.ts";
import { type Extract, readExtract } from "../../../compat/pixl/driver/extract.ts";
import { type PopulateProgress, populate } from "../../../compat/pixl/driver/populate.ts";
import { getRefreshRate, setRefreshRate } from "../../../compat/pixl/driver/refresh-rate.ts";
import { type DriverSettings, readDriverSettings } from "../../../compat/pixl/driver/settings.ts";
import { openBroker } from "../../../compat/pixl/intake/broker.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { Cli } from "../../cli.ts";
import { counted } from "../../counted.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";

export interface QueueOptions {
  readonly queues: readonly string[];
}

export interface RateOptions extends QueueOptions {
  readonly rate?: number;
}

export interface PopulateVerbOptions extends RateOptions {
  readonly priority: number;
  readonly numRetries: number;
  readonly start: boolean;
}

function settingsOf({ world }: Cli): Promise<DriverSettings> {
  return readDriverSettings(world.environment, world.workingFolder);
}

function isImaging(queue: string): boolean {
  return queue.startsWith("imaging-");
}

/** Each interface once: both imaging queues are one's. */
function urlsOf(settings: DriverSettings, queues: readonly string[]): readonly string[] {
  return [...new Set(queues.map((queue) => (isImaging(queue) ? settings.imagingApiUrl : settings.exportApiUrl)))];
}

async function setRates(cli: Cli, settings: DriverSettings, queues: readonly string[], rate: number): Promise<void> {
  for (const url of urlsOf(settings, queues)) await setRefreshRate(rate, { url, signal: cli.world.stop });
}

/** @throws GatewayError USAGE_INVALID */
function refuseZero(rate: number): number {
  if (rate === 0) {
    throw new GatewayError("USAGE_INVALID", { problem: "Cannot start extract with a rate of 0. Must be >0" });
  }
  return rate;
}

export async function populateVerb(cli: Cli, path: string, options: PopulateVerbOptions): Promise<ExitCode> {
  const { queues, start, priority, numRetries } = options;
  const { world, printer } = cli;
  const settings = await settingsOf(cli);
  const folder = resolve(world.workingFolder, path);
  const extract = await readExtract(folder);
  if (extract.isOmop) await exportPublicPart(extract, folder, settings);
  if (start) await setRates(cli, settings, queues, refuseZero(options.rate ?? settings.rate));
  await using database = await openDatabase(settings.database);
  await using broker = openBroker(settings.broker);
  const report = await populate(
    extract.rows,
    { broker, database, clock: world.clock },
    {
      queues: queues.filter(isImaging),
      priority,
      retries: start ? numRetries : 0,
      retryAfterMs: settings.retryAfterMs,
      signal: world.stop,
      onProgress: (progress) => printer.note(progressLine(progress)),
    },
  );
  const { rows, refused } = extract;
  await printer.document({ studies: rows.length, ...report, refused }, () => populateLines(extract, report));
  return refused.length > 0 ? EXIT.partial : EXIT.fine;
}

/** As PIXL does before it asks for anything. @throws GatewayError USAGE_INVALID, FOLDER_NOT_WRITABLE */
async function exportPublicPart(
  { rows }: Extract,
  extract: string,
  { exportRoot: root }: DriverSettings,
): Promise<void> {
  if (root === undefined) {
    const problem = "HOST_EXPORT_ROOT_DIR must say where the public part of an OMOP extract is exported from";
    throw new GatewayError("USAGE_INVALID", { problem });
  }
  const message = rows[0]?.message;
  if (message === undefined) return;
  const { projectName, extractGeneratedTimestamp: generatedAt } = message;
  await copyToExports({ extract, root, projectName, generatedAt });
}

function progressLine(progress: PopulateProgress): string {
  if (progress.step === "published")
    return `round ${progress.round}: ${counted(progress.messages, "message")} published`;
  if (progress.step === "waiting") return `${counted(progress.ready, "message")} waiting in the queues`;
  return `${counted(progress.studies, "study")} exported`;
}

function* populateLines(
  { rows, refused }: Extract,
  { published, exported }: Awaited<ReturnType<typeof populate>>,
): Generator<string> {
  yield `${rows.length === 1 ? "1 study or set" : `${rows.length} studies or sets`} of series, ${published[0] ?? 0} of them published${published.length > 1 ? `, asked for again ${counted(published.length - 1, "time")}` : ""}`;
  if (exported !== undefined) yield `${counted(exported, "study")} exported`;
  for (const { row, error } of refused)
    yield `row ${row} refused: ${error.code} ${Object.values(error.details).join(" ")}`;
}

export async function startVerb(cli: Cli, { queues, rate }: RateOptions): Promise<ExitCode> {
  const settings = await settingsOf(cli);
  return await changeRate(cli, settings, queues, refuseZero(rate ?? settings.rate));
}

export async function updateVerb(cli: Cli, { queues, rate = 0 }: RateOptions): Promise<ExitCode> {
  return await changeRate(cli, await settingsOf(cli), queues, rate);
}

async function changeRate(
  cli: Cli,
  settings: DriverSettings,
  queues: readonly string[],
  rate: number,
): Promise<ExitCode> {
  await setRates(cli, settings, queues, rate);
  await cli.printer.document({ queues, rate }, () => [`${queues.join(", ")}: ${counted(rate, "message")} a second`]);
  return EXIT.fine;
}

export async function stopVerb(
  cli: Cli,
  { queues, purge = false }: QueueOptions & { readonly purge?: boolean },
): Promise<ExitCode> {
  const settings = await settingsOf(cli);
  await setRates(cli, settings, queues, 0);
  let purged = 0;
  if (purge) {
    await using broker = openBroker(settings.broker);
    for (const queue of queues.filter(isImaging)) purged += await broker.purge(queue);
  }
  await cli.printer.document({ queues, rate: 0, purged }, () => [
    `${queues.join(", ")}: paused${purge ? `, ${counted(purged, "message")} deleted` : ""}`,
  ]);
  return EXIT.fine;
}

export async function statusVerb(cli: Cli, { queues }: QueueOptions): Promise<ExitCode> {
  const settings = await settingsOf(cli);
  await using broker = openBroker(settings.broker);
  const states: { readonly queue: string; readonly rate: number; readonly ready?: number }[] = [];
  for (const queue of queues) {
    const [url = ""] = urlsOf(settings, [queue]);
    const rate = await getRefreshRate({ url, signal: cli.world.stop });
    states.push({ queue, rate, ...(isImaging(queue) ? { ready: await broker.count(queue) } : {}) });
  }
  await cli.printer.document({ queues: states }, () =>
    states.map(
      ({ queue, rate, ready }) =>
        `${queue}: ${counted(rate, "message")} a second${ready === undefined ? "" : `, ${ready} ready`}`,
    ),
  );
  return EXIT.fine;
}
