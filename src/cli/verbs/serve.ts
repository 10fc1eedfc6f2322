import { once } from "node:events";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";

const HELP = `
One line on stdout says that it is ready; at the first start another one gives the first admin's token of the API. The log goes to stderr. SIGTERM or SIGINT lets running steps come to a
safe point and ends with 0; a second signal ends at once. Nothing is lost either way.
`;

export function addServeVerb(program: Command, cli: Cli): void {
  program
    .command("serve")
    .description("run as a service: work on every cohort that is handed in")
    .addHelpText("after", HELP + examples("serve", "-c /etc/radferry/radferry.yaml serve"))
    .action(cli.verb(() => serve(cli)));
}

async function serve(cli: Cli): Promise<ExitCode> {
  const { world, printer } = cli;
  await using gateway = await openGateway(cli, "serve", "info");
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
    `radferry is ready; ${ports.join(", ")}`,
    ...(firstToken === undefined ? [] : [`the first admin's token, shown this once: ${firstToken}`]),
  ]);
  if (!world.stop.aborted) await once(world.stop, "abort");
  await gateway.drain();
  return EXIT.fine;
}
