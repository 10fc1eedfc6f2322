import { verificationContexts } from "../../../archive/dimse/contexts.ts";
import type { DicomAddress } from "../../../dicom/ae-title.ts";
import type { Cli } from "../../cli.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";
import { addressText, associate, type PeerOptions } from "./peer.ts";

export async function echo(cli: Cli, peer: DicomAddress, options: PeerOptions): Promise<ExitCode> {
  const { clock, stop } = cli.world;
  const startedAtMs = clock.nowMs();
  await using association = await associate(cli, peer, options, verificationContexts());
  await association.echo(stop);
  const milliseconds = clock.nowMs() - startedAtMs;
  const text = addressText(peer);
  await cli.printer.document({ peer: text, ok: true, milliseconds }, () => [
    `${text} answers, after ${milliseconds} ms`,
  ]);
  return EXIT.fine;
}
