import type { AeTitle, DicomAddress } from "../../../dicom/ae-title.ts";
import { openAssociation } from "../../../network/dimse/association.ts";
import type { Association, AssociationOptions, ProposedContext } from "../../../network/dimse/service-types.ts";
import { type Logger, silentLogger } from "../../../units/logger.ts";
import type { Cli } from "../../cli.ts";
import { connectionOf } from "./connection.ts";
import type { ConnectionOptions } from "./connection-options.ts";

export interface PeerOptions extends ConnectionOptions {
  readonly calling: AeTitle;
}

/** An association for one verb; a signal to stop aborts it. @throws GatewayError as `connectionOf` and `openAssociation` */
export async function associate(
  cli: Cli,
  address: DicomAddress,
  options: PeerOptions,
  contexts: readonly ProposedContext[],
  more: Pick<AssociationOptions, "commitmentResult"> = {},
): Promise<Association> {
  const logger = await toolkitLogger(cli);
  const { workingFolder, stop } = cli.world;
  const connection = await connectionOf(options, workingFolder);
  return await openAssociation({
    ...connection,
    ...more,
    address,
    callingAeTitle: options.calling,
    contexts,
    logger,
    signal: stop,
  });
}

/** The toolkit says what matters itself; a log is kept when it is asked for. */
export async function toolkitLogger(cli: Cli): Promise<Logger> {
  return cli.options().logLevel === undefined ? silentLogger : await cli.logger("warn");
}

export function addressText({ aeTitle, host, port }: DicomAddress): string {
  return `${aeTitle}@${host}:${port}`;
}
