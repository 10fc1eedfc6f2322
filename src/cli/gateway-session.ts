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

/** The gateway of the configured home, to be closed by the caller. @param given what the command line says instead of the settings */
export async function openGateway(
  cli: Cli,
  mode: GatewayMode,
  usualLevel: LogLevel = "warn",
  given: (settings: Settings) => Settings = (settings) => settings,
): Promise<Gateway> {
  const settings = given(await settingsOf(cli));
  const { environment, clock } = cli.world;
  const reread = async (): Promise<Settings> => {
    const { loadCheckedSettings } = await import("../config/load-settings.ts");
    return given((await loadCheckedSettings(sourceOf(cli), clock)).settings);
  };
  const logger = await cli.logger(usualLevel);
  const rehearsal = cli.isRehearsal() ? { isRehearsal: true } : {};
  return cli.world.openGateway({
    settings,
    mode,
    ...rehearsal,
    logger,
    environment,
    version: programVersion(),
    reread,
  });
}
