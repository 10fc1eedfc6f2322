import { createDeviceRegistry } from "../compat/scanhub/device/registry.ts";
import { startScanHubServer } from "../compat/scanhub/http/server.ts";
import { keepWatch } from "../compat/scanhub/keep-watch.ts";
import { readScanHubSettings, type ScanHubSettings } from "../compat/scanhub/settings.ts";
import type { ScanHubWorld } from "../compat/scanhub/world.ts";
import type { Store } from "../store/store.ts";
import { type Clock, systemClock } from "../units/clock.ts";
import type { Disk } from "../units/disk.ts";
import { type Logger, silentLogger } from "../units/logger.ts";
import { type Random, systemRandom } from "../units/random.ts";
import { createSparseLogger } from "../units/sparse-logger.ts";
import { openFaceHome } from "./face-home.ts";
import type { Face, FaceParts } from "./faces.ts";
import { openAcquisitionsOver } from "./open-acquisitions.ts";

interface ScanHubParts {
  readonly settings: ScanHubSettings;
  readonly host: string;
  readonly port: number;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
  readonly disk?: Disk | undefined;
  readonly logger?: Logger | undefined;
}

export interface ScanHubFaceOptions extends ScanHubParts {
  readonly home: string;
}

/** The scanners' face alone over a home of its own. @throws GatewayError HOME_IN_USE, FOLDER_NOT_WRITABLE, STORE_…, SCAN_LAKE_UNAVAILABLE, SCAN_PORT_IN_USE */
export async function openScanHubFace(options: ScanHubFaceOptions): Promise<Face> {
  await using opened = new AsyncDisposableStack();
  const store = await openFaceHome(options.home, options.logger ?? silentLogger, opened);
  const face = opened.use(await openScanHubOver({ ...options, store }));
  const closing = opened.move();
  return { ...face, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/**
 * The scanners' face inside the service, set up by ScanHub's own names and ours. Of gateways that share a store, one at a time shows it and takes up
 * what the one before left half done: scanners are connected to one process, and files on their way are its own.
 * @throws SettingsError, GatewayError SCAN_…
 */
export async function openScanHubWithin({ environment, alone, ...parts }: FaceParts): Promise<Face> {
  const { store, host, port, clock, random, logger } = parts;
  const settings = readScanHubSettings(environment);
  let face: Face | undefined;
  const turn = await alone.keep("scanhub", async () => {
    const opened = await openScanHubOver({ settings, store, host, port, clock, random, logger });
    face = opened;
    return {
      async [Symbol.asyncDispose]() {
        face = undefined;
        await opened[Symbol.asyncDispose]();
      },
    };
  });
  return {
    get port() {
      return face?.port;
    },
    drain: async () => await face?.drain(),
    [Symbol.asyncDispose]: () => turn[Symbol.asyncDispose](),
  };
}

/** The scanners' face over a store that somebody else holds. What another process left half done is taken up before anybody may connect. */
export async function openScanHubOver(options: ScanHubParts & { readonly store: Store }): Promise<Face> {
  const { settings, store, host, port } = options;
  const { clock = systemClock, random = systemRandom, disk, logger = silentLogger } = options;
  await using opened = new AsyncDisposableStack();
  const { lake, policy } = settings;
  const { ledger, uploads } = opened.use(await openAcquisitionsOver({ store, lake, policy, clock, disk, logger }));
  const registry = createDeviceRegistry();
  for (const { id } of await store.listScanDevices(10_000)) {
    // Nobody is connected to a process that begins.
    await store.changeScanDevice(id, { status: "OFFLINE" }, clock.nowMs());
  }
  const sparse = opened.use(createSparseLogger(logger));
  const world: ScanHubWorld = { settings, store, ledger, uploads, registry, clock, random, logger: sparse };
  const server = opened.use(await startScanHubServer(world, { host, port }));
  opened.use(keepWatch(world));
  const closing = opened.move();
  return {
    port: server.port,
    drain: () => uploads.settled(),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
