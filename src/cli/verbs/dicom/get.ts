import { resolve } from "node:path";
import { getContexts } from "../../../archive/dimse/contexts.ts";
import { getOverGroups } from "../../../archive/dimse/get-passes.ts";
import { watchStore } from "../../../archive/dimse/watched-store.ts";
import type { DicomAddress } from "../../../dicom/ae-title.ts";
import { singleSyntaxGroups, storageContextGroups } from "../../../network/dimse/get-contexts.ts";
import type { RetrieveResult } from "../../../network/dimse/service-types.ts";
import type { Cli } from "../../cli.ts";
import { counted } from "../../counted.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";
import { openProgress } from "../../progress.ts";
import { associate } from "./peer.ts";
import { modelOf } from "./query-model.ts";
import { openReceiveFolder, type ReceiveFolder } from "./receive-folder.ts";
import {
  type RetrieveOptions,
  retrievalDocument,
  retrievalExitCode,
  retrievalLines,
  retrieveIdentifier,
  showCounts,
} from "./retrieval.ts";

export interface GetOptions extends RetrieveOptions {
  readonly out: string;
}

export async function get(cli: Cli, peer: DicomAddress, options: GetOptions): Promise<ExitCode> {
  const identifier = retrieveIdentifier(options);
  const folder = await openReceiveFolder(resolve(cli.world.workingFolder, options.out), cli.world.clock);
  const result = await fetchInto(cli, peer, options, { identifier, folder });
  const { stored, refused } = folder.counts();
  const exitCode = stored === 0 && refused > 0 ? EXIT.failed : retrievalExitCode("C-GET", result);
  const document = { ...retrievalDocument("C-GET", result), stored, refused, out: folder.path };
  await cli.printer.document(document, () => [
    `${counted(stored, "instance")} stored, ${refused} refused`,
    ...retrievalLines(document),
  ]);
  return exitCode === EXIT.fine && refused > 0 ? EXIT.partial : exitCode;
}

interface Fetching {
  readonly identifier: ReturnType<typeof retrieveIdentifier>;
  readonly folder: ReceiveFolder;
}

/** Over as many associations as what cannot be sent for want of a context needs. */
async function fetchInto(
  cli: Cli,
  peer: DicomAddress,
  options: GetOptions,
  { identifier, folder }: Fetching,
): Promise<RetrieveResult> {
  using progress = await openProgress(cli.world.stderr, "instances");
  const model = modelOf(options);
  const request = { model, identifier };
  const watched = watchStore(folder.store);
  const groups = [...storageContextGroups([]), ...singleSyntaxGroups([])];
  const result = await getOverGroups(groups, watched, async (contexts) => {
    await using association = await associate(cli, peer, options, getContexts(contexts, model));
    return await association.get(request, watched.handler, showCounts(progress), cli.world.stop);
  });
  const arrived: ReadonlySet<string> = watched.arrived;
  return { ...result, failedSopInstanceUids: result.failedSopInstanceUids.filter((uid) => !arrived.has(uid)) };
}
