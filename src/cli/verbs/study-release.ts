import type { ReleaseResultDocument } from "../../operations/documents.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";

export interface ReleaseOptions {
  readonly reason: string;
  readonly leaveOut?: readonly string[];
  readonly leaveOutRejected?: true;
  readonly allowTag?: readonly string[];
}

export async function releaseStudy(cli: Cli, id: string, options: ReleaseOptions): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const released = await gateway.operations.releaseStudy(id, {
    reason: options.reason,
    leaveOut: options.leaveOut ?? [],
    leaveOutRejected: options.leaveOutRejected === true,
    allowTags: options.allowTag ?? [],
  });
  await cli.printer.document(released, () => releaseLines(released));
  return EXIT.fine;
}

function* releaseLines({ id, leftOut, allowedTags }: ReleaseResultDocument): Generator<string> {
  yield `${id} is queued to be de-identified and verified again`;
  if (leftOut > 0) yield `  instances left out: ${leftOut}`;
  if (allowedTags.length > 0) yield `  an identifier may stand in: ${allowedTags.join(", ")}`;
}
