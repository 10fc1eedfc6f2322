import type { AeTitle, DicomAddress } from "../../../dicom/ae-title.ts";
import { openAssociation } from "../../../network/dimse/association.ts";
import type { Association, ProposedContext } from "../../../network/dimse/service-types.ts";
import { type Logger, silentLogger } from "../../../units/logger.ts";
import type { Cli } from "../../cli.ts";

export interface PeerOptions {
  readonly calling: AeTitle;
}

/** An association for one verb; a signal to stop aborts it. @throws GatewayError as `openAssociation` */
export async function associate(
  cli: Cli,
  address: DicomAddress,
  { calling }: PeerOptions,
  contexts: readonly ProposedContext[],
): Promise<Association> {
  const logger = await toolkitLogger(cli);
  return await openAssociation({ address, callingAeTitle: calling, contexts, logger, signal: cli.world.stop });
}

/** The toolkit says what matters itself; a log is kept when it is asked for. */
export async function toolkitLogger(cli: Cli): Promise<Logger> {
  return cli.options().logLevel === undefined ? silentLogger : await cli.logger("warn");
}

export function addressText({ aeTitle, host, port }: DicomAddress): string {
  return `${aeTitle}@${host}:${port}`;
}
