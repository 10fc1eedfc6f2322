import { moveContexts } from "../../../archive/dimse/contexts.ts";
import type { AeTitle, DicomAddress } from "../../../dicom/ae-title.ts";
import type { Cli } from "../../cli.ts";
import type { ExitCode } from "../../exit-codes.ts";
import { openProgress } from "../../progress.ts";
import { associate } from "./peer.ts";
import { modelOf } from "./query-model.ts";
import {
  type RetrieveOptions,
  retrievalDocument,
  retrievalExitCode,
  retrievalLines,
  retrieveIdentifier,
  showCounts,
} from "./retrieval.ts";

export interface MoveOptions extends RetrieveOptions {
  readonly dest: AeTitle;
}

export async function move(cli: Cli, peer: DicomAddress, options: MoveOptions): Promise<ExitCode> {
  const identifier = retrieveIdentifier(options);
  const model = modelOf(options);
  await using association = await associate(cli, peer, options, moveContexts(model));
  const request = { model, identifier, destination: options.dest } as const;
  const result = await withProgress(cli, (onProgress) => association.move(request, onProgress, cli.world.stop));
  const exitCode = retrievalExitCode("C-MOVE", result);
  const document = retrievalDocument("C-MOVE", result);
  await cli.printer.document(document, () => retrievalLines(document));
  return exitCode;
}

async function withProgress<T>(cli: Cli, work: (onProgress: ReturnType<typeof showCounts>) => Promise<T>): Promise<T> {
  using progress = await openProgress(cli.world.stderr, "instances");
  return await work(showCounts(progress));
}
