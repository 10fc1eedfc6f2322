import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { stringify } from "yaml";
import { importPixlTagOperations, type PixlImport } from "../../deid/profiles/import-pixl.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { isSystemError } from "../write-whole-file.ts";
import type { ImportOptions } from "./deid-profile.ts";

const LINE_WIDTH = 140;

export async function importPixl(cli: Cli, base: readonly string[], options: ImportOptions): Promise<ExitCode> {
  const read = (names: readonly string[]): Promise<readonly { name: string; text: string }[]> =>
    Promise.all(names.map((name) => readNamed(cli, name)));
  const files = { base: await read(base), manufacturerOverrides: await read(options.manufacturerOverrides ?? []) };
  const made = importPixlTagOperations(files, {
    name: options.name,
    acceptFreeText: options.acceptFreeText === true,
    ...(options.pseudonyms === undefined ? {} : { pseudonyms: options.pseudonyms }),
  });
  for (const warning of made.warnings) cli.printer.note(`warning: ${warning}`);
  await write(cli, made);
  return EXIT.fine;
}

async function write({ printer }: Cli, { document, warnings }: PixlImport): Promise<void> {
  if (printer.json) await printer.document({ profile: document, warnings }, () => []);
  else await printer.text(stringify(document, { lineWidth: LINE_WIDTH }));
}

async function readNamed({ world }: Cli, name: string): Promise<{ readonly name: string; readonly text: string }> {
  try {
    return { name, text: await readFile(resolve(world.workingFolder, name), "utf8") };
  } catch (thrown) {
    if (!isSystemError(thrown)) throw thrown;
    throw new GatewayError("PROFILE_FILE_UNREADABLE", { reason: thrown.code }, thrown);
  }
}
