import { join } from "node:path";
import { migrateAtStart } from "../compat/pixl/database/migrate-at-start.ts";
import { keepMessages } from "../compat/pixl/http/keep-messages.ts";
import { openRate } from "../compat/pixl/http/kept-rate.ts";
import { startPixlServer } from "../compat/pixl/http/server.ts";
import { openBroker } from "../compat/pixl/intake/broker.ts";
import { type Intake, startIntake } from "../compat/pixl/intake/intake.ts";
import { createTokenBuckets } from "../compat/pixl/intake/token-buckets.ts";
import { openProcessing } from "../compat/pixl/processing/processing.ts";
import { startWorker } from "../compat/pixl/processing/worker.ts";
import { type PixlSettings, readPixlSettings } from "../compat/pixl/settings.ts";
import { readTokenFile } from "../config/credential-files.ts";
import { withdrawnRows } from "../operations/withdrawn-rows.ts";
import type { Store } from "../store/store.ts";
import { neverAborted } from "../units/abort.ts";
import { type Clock, systemClock } from "../units/clock.ts";
import { type Logger, silentLogger } from "../units/logger.ts";
import { type Random, systemRandom } from "../units/random.ts";
import { openFaceHome } from "./face-home.ts";
import type { Face, FaceParts } from "./faces.ts";
import { withdrawnKeyFile } from "./withdrawn.ts";

export interface PixlFaceOptions {
  readonly settings: PixlSettings;
  readonly home: string;
  readonly host: string;
  readonly port: number;
  readonly version: string;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
  readonly logger?: Logger | undefined;
  /** Ends the waiting for a database that is not there yet. */
  readonly stop?: AbortSignal;
}

/** The PIXL face alone over a home of its own. @throws GatewayError HOME_IN_USE, FOLDER_NOT_WRITABLE, STORE_…, PIXL_DATABASE_…, PIXL_PORT_IN_USE */
export async function openPixlFace(options: PixlFaceOptions): Promise<Face> {
  await using opened = new AsyncDisposableStack();
  const store = await openFaceHome(options.home, options.logger ?? silentLogger, opened);
  const face = opened.use(await servePixl({ ...options, store }));
  const closing = opened.move();
  return { ...face, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/** The PIXL face inside the service. @throws SettingsError with what is wrong with PIXL's names, GatewayError PIXL_DATABASE_…, PIXL_PORT_IN_USE */
export function openPixlOver({ environment, settings: { home }, ...parts }: FaceParts): Promise<Face> {
  return servePixl({ ...parts, home, settings: readPixlSettings(environment) });
}

/** The rate, where it is kept. */
const RATE_FILE = "pixl-rate.json";

async function servePixl(options: PixlFaceOptions & { readonly store: Store }): Promise<Face> {
  const { settings, store, home, host, port, version, stop: signal = neverAborted() } = options;
  const { clock = systemClock, random = systemRandom, logger = silentLogger } = options;
  const token = settings.tokenFile === undefined ? undefined : await readTokenFile(settings.tokenFile);
  if (settings.migrates) await migrateAtStart(settings.database, { clock, logger, signal });
  await using opened = new AsyncDisposableStack();
  const broker = opened.use(openBroker({ ...settings.broker, logger }));
  const processing = opened.use(openProcessing(settings, { store, clock, random, logger }));
  const buckets = createTokenBuckets(clock);
  const rate = await openRate(buckets, settings.keepsRate ? join(home, RATE_FILE) : undefined);
  let intake: Intake | undefined;
  const withdrawn = { keyFile: withdrawnKeyFile({ home }) };
  const worker = opened.use(
    await startWorker({
      ...{ store, buckets, broker, processing, random },
      onSettled: () => intake?.wake(),
      withdrawn: {
        any: async () => (await store.withdrawnDigests("")).keyId !== undefined,
        ofProject: (project) => withdrawnRows({ store, withdrawn }, project),
        onRemoved: async () => void (await store.emptyJournal()),
      },
    }),
  );
  const started = opened.use(
    startIntake({
      broker,
      store,
      buckets,
      maximumUnfinished: settings.maximumInFlight,
      clock,
      logger,
      onStored: worker.wake,
    }),
  );
  intake = started;
  const keep = keepMessages({ store, clock, onStored: worker.wake });
  const server = opened.use(
    await startPixlServer({ rate, keep, dead: () => worker.dead, host, port, version, token, logger }),
  );
  const closing = opened.move();
  return {
    port: server.port,
    async drain() {
      await started[Symbol.asyncDispose]();
      await worker.drain();
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
