import { identifierFromKeys } from "../../../archive/find-keys.ts";
import { searchDicomWeb } from "../../../network/dicomweb/search.ts";
import { searchOf } from "../../../network/dicomweb/search-of-identifier.ts";
import { openHttpClient } from "../../../network/http-client/http-client.ts";
import type { Cli } from "../../cli.ts";
import type { ExitCode } from "../../exit-codes.ts";
import { printMatches } from "../../matches.ts";
import type { Level } from "../../option-parsers.ts";
import { httpConnectionOf } from "./http-connection.ts";
import type { HttpOptions } from "./http-options.ts";

export interface QidoOptions extends HttpOptions {
  readonly key: readonly string[];
  readonly level: Level;
  readonly max: number;
  readonly fuzzy?: boolean;
}

export async function qido(cli: Cli, url: string, options: QidoOptions): Promise<ExitCode> {
  const { key, level, max, fuzzy = false } = options;
  const identifier = identifierFromKeys(level, key);
  await using client = openHttpClient(await httpConnectionOf(url, options, cli.world.workingFolder));
  const search = { ...searchOf(identifier, max), fuzzy };
  return await printMatches(cli, searchDicomWeb(client, search, cli.world.stop));
}
