import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { csvLine } from "../../cohort/export.ts";
import { importCtpLookup, isLookupKind } from "../../deid/pseudonyms/ctp-lookup.ts";
import type { LookupKind } from "../../deid/pseudonyms/lookup-rows.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Cli } from "../cli.ts";
import { counted } from "../counted.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { writeWholeFile } from "../write-whole-file.ts";

export interface ImportCtpOptions {
  readonly output: string;
  readonly project?: string;
  /** `ptid=patient`. */
  readonly map?: readonly string[];
  readonly leaveOut?: readonly string[];
  readonly mergePatients?: true;
}

const FILE_LIMIT_BYTES = 64 * 2 ** 20;

/** All of the table or nothing. */
export async function importCtp(cli: Cli, file: string, options: ImportCtpOptions): Promise<ExitCode> {
  const kinds = new Map<string, LookupKind | undefined>((options.map ?? []).map(kindOf));
  for (const type of options.leaveOut ?? []) kinds.set(type.toLowerCase(), undefined);
  const merge = options.mergePatients === true;
  const text = await textOf(resolve(cli.world.workingFolder, file));
  const { rows, problems, leftOut } = importCtpLookup(text, { kinds, merge });
  const { project } = options;
  const isDone = problems.length === 0 && rows.length > 0;
  async function* pieces(): AsyncGenerator<string> {
    yield csvLine(["kind", "original", "replacement", ...(project === undefined ? [] : ["project"])]);
    for (const { kind, original, replacement } of rows)
      yield csvLine([kind, original, replacement, ...(project === undefined ? [] : [project])]);
  }
  const output = resolve(cli.world.workingFolder, options.output);
  if (isDone) await writeWholeFile(output, pieces());
  const document = { rows: rows.length, leftOut, problems, written: isDone ? output : undefined };
  await cli.printer.document(document, function* () {
    yield `${counted(rows.length, "entry")}, ${leftOut} left out, ${problems.length} that cannot be used`;
    for (const { line, problem } of problems) yield `  line ${line}: ${problem}`;
    if (isDone) yield `written to ${output}: name it as pseudonyms.lookupFile of the project`;
  });
  return isDone ? EXIT.fine : EXIT.failed;
}

function kindOf(text: string): readonly [string, LookupKind] {
  const [type = "", kind = ""] = text.split("=");
  if (type === "" || !isLookupKind(kind))
    throw new GatewayError("USAGE_INVALID", {
      problem: "--map is TYPE=KIND, KIND one of patient, accession, study, ae-title",
    });
  return [type.toLowerCase(), kind];
}

async function textOf(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > FILE_LIMIT_BYTES)
      throw new GatewayError("LOOKUP_TABLE_UNREADABLE", { reason: "too-large" });
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (thrown) {
    throw thrown instanceof GatewayError ? thrown : new GatewayError("LOOKUP_TABLE_UNREADABLE", {}, thrown);
  }
}
