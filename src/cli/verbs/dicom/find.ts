import { findContexts } from "../../../archive/dimse/contexts.ts";
import { identifierFromKeys } from "../../../archive/find-keys.ts";
import type { DicomAddress } from "../../../dicom/ae-title.ts";
import type { Cli } from "../../cli.ts";
import type { ExitCode } from "../../exit-codes.ts";
import { printMatches } from "../../matches.ts";
import { associate, type PeerOptions } from "./peer.ts";
import { modelOf, type QueryOptions } from "./query-model.ts";

export interface FindOptions extends PeerOptions, QueryOptions {
  readonly max: number;
}

export async function find(cli: Cli, peer: DicomAddress, options: FindOptions): Promise<ExitCode> {
  const { key, level, max } = options;
  const model = modelOf(options);
  const identifier = identifierFromKeys(level, key);
  await using association = await associate(cli, peer, options, findContexts(model));
  const matches = association.find({ model, identifier, maximumAnswers: max }, cli.world.stop);
  return await printMatches(cli, matches);
}
