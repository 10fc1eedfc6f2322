import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { loadCheckedSettings, loadSettings } from "../../src/config/load-settings.ts";
import type { Environment } from "../../src/config/settings-file.ts";
import type { Gateway } from "../../src/gateway/gateway.ts";
import { openGateway } from "../../src/gateway/open-gateway.ts";
import type { ApiLimits } from "../../src/http/services.ts";
import type { Clock } from "../../src/units/clock.ts";
import { type Logger, silentLogger } from "../../src/units/logger.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export interface ServiceOptions {
  /** As in the file; home and ports have values of their own unless told. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Beside the settings file, for their owner alone. */
  readonly files?: Readonly<Record<string, string>>;
  readonly environment?: Environment;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly apiLimits?: Partial<ApiLimits>;
}

export interface Service extends AsyncDisposable {
  readonly folder: string;
  readonly gateway: Gateway;
  /** Over the same home, as after a stop in order. */
  restart(): Promise<void>;
}

/** What `serve` runs, in this process: with no archive, destination or project unless told. */
export async function openService(options: ServiceOptions = {}): Promise<Service> {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await temporaryFolder());
  const file = join(folder, "radferry.yaml");
  const usual = { home: "home", dicom: { port: 0 }, http: { port: 0 }, staging: { reserveGigabytes: 0 } };
  await writeFile(file, stringify({ ...usual, ...options.settings }));
  for (const [name, text] of Object.entries(options.files ?? {}))
    await writeFile(join(folder, name), text, { mode: name.endsWith(".sh") ? 0o700 : 0o600 });
  const { environment = {}, clock, logger = silentLogger, apiLimits = {} } = options;
  const open = async (): Promise<Gateway> => {
    const { settings } = await loadSettings({ file, environment: {}, cwd: folder });
    const world = {
      logger,
      environment,
      version: "1.2.3",
      userName: "sam",
      apiLimits,
      reread: async () => (await loadCheckedSettings({ file, environment: {}, cwd: folder })).settings,
      ...(clock === undefined ? {} : { clock }),
    };
    return await openGateway({ settings, mode: "serve", ...world });
  };
  let gateway: Gateway | undefined = await open();
  opened.defer(async () => gateway?.[Symbol.asyncDispose]());
  const closing = opened.move();
  return {
    folder,
    get gateway() {
      if (gateway === undefined) throw new Error("it is stopped");
      return gateway;
    },
    async restart() {
      await gateway?.[Symbol.asyncDispose]();
      gateway = undefined;
      gateway = await open();
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
