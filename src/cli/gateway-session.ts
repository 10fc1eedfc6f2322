import type { Settings } from "../config/settings.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { Cli, LogLevel } from "./cli.ts";
import { programVersion } from "./version.ts";
import type { GatewayMode } from "./world.ts";

/** @throws SettingsError with every problem of the configuration */
export async function settingsOf({ world, options }: Cli): Promise<Settings> {
  const { loadSettings } = await import("../config/load-settings.ts");
  const { settings } = await loadSettings({
    file: options().config,
    environment: world.environment,
    cwd: world.workingFolder,
  });
  return settings;
}

/** The gateway of the configured home, to be closed by the caller. */
export async function openGateway(cli: Cli, mode: GatewayMode, usualLevel: LogLevel = "warn"): Promise<Gateway> {
  const settings = await settingsOf(cli);
  const { environment } = cli.world;
  const logger = await cli.logger(usualLevel);
  return cli.world.openGateway({ settings, mode, logger, environment, version: programVersion() });
}
