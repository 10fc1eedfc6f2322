import type { SettingsSource } from "../config/load-settings.ts";
import type { Settings } from "../config/settings.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { Cli, LogLevel } from "./cli.ts";
import { programVersion } from "./version.ts";
import type { GatewayMode } from "./world.ts";

/** @throws SettingsError with every problem of the configuration */
export async function settingsOf(cli: Cli): Promise<Settings> {
  const { loadSettings } = await import("../config/load-settings.ts");
  const { settings } = await loadSettings(sourceOf(cli));
  return settings;
}

function sourceOf({ world, options }: Cli): SettingsSource {
  return { file: options().config, environment: world.environment, cwd: world.workingFolder };
}

/** The gateway of the configured home, to be closed by the caller. */
export async function openGateway(cli: Cli, mode: GatewayMode, usualLevel: LogLevel = "warn"): Promise<Gateway> {
  const settings = await settingsOf(cli);
  const { environment, clock } = cli.world;
  const reread = async (): Promise<Settings> => {
    const { loadCheckedSettings } = await import("../config/load-settings.ts");
    return (await loadCheckedSettings(sourceOf(cli), clock)).settings;
  };
  const logger = await cli.logger(usualLevel);
  return cli.world.openGateway({ settings, mode, logger, environment, version: programVersion(), reread });
}
