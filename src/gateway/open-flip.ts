import { startFlipServer } from "../compat/flip/http/server.ts";
import { createImageFiles } from "../compat/flip/image-files.ts";
import { startImageRetention } from "../compat/flip/image-retention.ts";
import { type ImportTasks, startImportTasks } from "../compat/flip/import-tasks.ts";
import { type FlipServices, type FlipWorld, openFlipServices } from "../compat/flip/services.ts";
import { type FlipSettings, readFlipSettings } from "../compat/flip/settings.ts";
import type { RetryPolicy } from "../pipeline/retry.ts";
import type { TaskStore } from "../store/tasks.ts";
import { systemClock } from "../units/clock.ts";
import { silentLogger } from "../units/logger.ts";
import { openFaceHome } from "./face-home.ts";
import type { FaceParts } from "./faces.ts";

/** A night of an XNAT that is away, and more. */
const RETRY: RetryPolicy = { attempts: 200, firstDelayMs: 2_000, maximumDelayMs: 600_000 };
/** XNAT asks its PACS for the series of every study before it answers. */
const SETTLE_MS = 120_000;
const RETENTION_TASK = "image_cache_retention";

export interface FlipFaceOptions extends FlipWorld {
  readonly settings: FlipSettings;
  readonly home: string;
  readonly host: string;
  readonly port: number;
  readonly version: string;
  readonly retry?: RetryPolicy;
  /** See `ImportTasksOptions`. */
  readonly settleMs?: number;
}

export interface FlipFace extends AsyncDisposable {
  readonly port: number;
  readonly functions: FlipFunctions;
  /** Work under way comes to its end, or to where it can be taken up again. */
  drain(): Promise<void>;
}

/** FLIP's functions over one store, however they are reached. */
export interface FlipFunctions extends AsyncDisposable {
  readonly services: FlipServices;
  readonly tasks: ImportTasks;
}

/** The FLIP face alone over a home of its own. @throws GatewayError HOME_IN_USE, FOLDER_NOT_WRITABLE, STORE_…, FLIP_PORT_IN_USE */
export async function openFlipFace(options: FlipFaceOptions): Promise<FlipFace> {
  await using opened = new AsyncDisposableStack();
  const store = await openFaceHome(options.home, options.logger ?? silentLogger, opened);
  const face = opened.use(await serveFlip({ ...options, store }));
  const closing = opened.move();
  return { ...face, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/** The FLIP face inside the service. @throws SettingsError with what is wrong with FLIP's names, GatewayError FLIP_PORT_IN_USE */
export function openFlipOver({ environment, ...parts }: FaceParts): Promise<FlipFace> {
  return serveFlip({ ...parts, settings: readFlipSettings(environment) });
}

interface FlipParts extends Omit<FlipFaceOptions, "home"> {
  readonly store: TaskStore;
}

/** Everything of FLIP but the port. @throws GatewayError STORE_… */
export async function openFlipFunctions(options: Omit<FlipParts, "host" | "port" | "version">): Promise<FlipFunctions> {
  const { settings, store, retry = RETRY, settleMs = SETTLE_MS } = options;
  await using opened = new AsyncDisposableStack();
  const services = opened.use(openFlipServices(settings, options));
  const tasks = opened.use(await startImportTasks({ services, store, retry, settleMs }));
  const closing = opened.move();
  return { services, tasks, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

async function serveFlip(options: FlipParts): Promise<FlipFace> {
  const { settings, host, port, version, clock = systemClock, logger = silentLogger } = options;
  await using opened = new AsyncDisposableStack();
  const functions = opened.use(await openFlipFunctions(options));
  const { services, tasks } = functions;
  const { retention, imagesFolder } = settings;
  const sweeper = retention && opened.use(startImageRetention({ ...retention, folder: imagesFolder, clock, logger }));
  const deadTasks = (): readonly string[] => [
    ...(tasks.dead > 0 ? ["import_tasks"] : []),
    ...(sweeper?.state === "dead" ? [RETENTION_TASK] : []),
    ...(sweeper?.state === "failing" ? [`${RETENTION_TASK}:failing`] : []),
  ];
  const files = createImageFiles(imagesFolder, logger);
  const server = opened.use(await startFlipServer({ services, tasks, files, host, port, version, deadTasks }));
  const closing = opened.move();
  return {
    port: server.port,
    functions,
    drain: () => tasks.drain(),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
