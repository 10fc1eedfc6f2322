import { once } from "node:events";
import { type Command, InvalidArgumentError } from "commander";
import { NODE_ROLES, type NodeRole } from "../../config/node-roles.ts";
import { SettingsError } from "../../config/problems.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { errorFields } from "../../observe/error-fields.ts";
import type { Logger } from "../../units/logger.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";

const HELP = `
One line on stdout says that it is ready; at the first start another one gives the first admin's token of the API. The log goes to stderr. SIGHUP takes archives, destinations and projects in as
the settings have them then; what is wrong with them goes to the log, and nothing is changed. SIGTERM or SIGINT lets running steps come to a
safe point and ends with 0; a second signal ends at once. Nothing is lost either way.
`;

export function addServeVerb(program: Command, cli: Cli): void {
  program
    .command("serve")
    .description("run as a service: work on every cohort that is handed in")
    .option("--roles <roles>", `what this gateway does, of ${NODE_ROLES.join(", ")}; usually node.roles`, rolesOf)
    .addHelpText(
      "after",
      HELP + examples("serve", "-c /etc/radferry/radferry.yaml serve", "serve --roles receiver,worker"),
    )
    .action(cli.verb((options: ServeOptions) => serve(cli, options)));
}

interface ServeOptions {
  readonly roles?: NodeRole[];
}

function rolesOf(text: string): NodeRole[] {
  const names = new Set(text.split(","));
  const roles = NODE_ROLES.filter((role) => names.delete(role));
  if (names.size > 0) throw new InvalidArgumentError(`of ${NODE_ROLES.join(", ")} some are expected, with commas`);
  return roles;
}

async function serve(cli: Cli, { roles }: ServeOptions): Promise<ExitCode> {
  const { world, printer } = cli;
  await using gateway = await openGateway(cli, "serve", "info", (settings) =>
    roles === undefined ? settings : { ...settings, node: { ...settings.node, roles } },
  );
  const logger = await cli.logger("info");
  using _hangUps = world.onHangUp?.(() => void reload(gateway, logger));
  const { dicomPort, dicomTlsPort, imagingSourceUrl, httpPort, firstToken, facePorts = {} } = gateway;
  const ports = [
    ...(dicomPort === undefined ? [] : [`DICOM port ${dicomPort}`]),
    ...(dicomTlsPort === undefined ? [] : [`DICOM TLS port ${dicomTlsPort}`]),
    ...(httpPort === undefined ? [] : [`HTTP port ${httpPort}`]),
    ...(imagingSourceUrl === undefined ? [] : [`RAD-69 at ${imagingSourceUrl}`]),
    ...Object.entries(facePorts).map(([name, port]) => `${name} port ${port}`),
  ];
  const ready = { serving: true, dicomPort, dicomTlsPort, imagingSourceUrl, httpPort, facePorts, firstToken };
  await printer.document(ready, () => [
    `radferry is ready${ports.length === 0 ? "" : "; "}${ports.join(", ")}`,
    ...(firstToken === undefined ? [] : [`the first admin's token, shown this once: ${firstToken}`]),
  ]);
  if (!world.stop.aborted) await once(world.stop, "abort");
  await gateway.drain();
  return EXIT.fine;
}

const RELOADED = [
  ["archive", "archives"],
  ["destination", "destinations"],
  ["project", "projects"],
] as const;

/** What came of it goes to the log: who sends a signal hears no answer. */
async function reload(gateway: Gateway, logger: Logger): Promise<void> {
  try {
    const reloaded = await gateway.reload?.();
    if (reloaded === undefined) return;
    for (const [kind, kinds] of RELOADED)
      for (const [state, names] of Object.entries(reloaded[kinds]))
        for (const name of names) logger.info("settings reloaded", { [kind]: name, state });
    for (const setting of reloaded.needsRestart) logger.warn("setting holds after a restart only", { setting });
    for (const { project, jobs } of reloaded.orphaned)
      logger.warn("jobs wait for a project that was removed", { project, jobs });
    logger.info("settings are as the file has them");
  } catch (thrown) {
    logger.error("settings stay as they were", errorFields(thrown));
    if (!(thrown instanceof SettingsError)) return;
    for (const { path: setting, code, line } of thrown.problems)
      logger.error("problem in the settings", { setting, code, ...(line === undefined ? {} : { line }) });
  }
}
