import { resolve } from "node:path";
import type { Finding, Part10File } from "../../../dicom/data-set.ts";
import { transferSyntaxOf } from "../../../dicom/dictionary/transfer-syntaxes.ts";
import { type DumpDocument, dumpDocument, dumpLines, formatDumpDocument, inflatedBulk } from "../../../dicom/dump.ts";
import { readPart10File } from "../../../dicom/reader.ts";
import { toGatewayError } from "../../../errors/gateway-error.ts";
import { errorRegistry } from "../../../errors/registry.ts";
import type { Cli } from "../../cli.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";
import type { Printer } from "../../printer.ts";
import { isSystemError } from "../../write-whole-file.ts";

/** Lines are put together to writes of about this many characters. */
const WRITE_CHARACTERS = 64 * 1024;

/** Shows every file; one that is malformed is shown as far as it could be read, and the others go on. */
export async function dump({ world, printer }: Cli, files: readonly string[]): Promise<ExitCode> {
  let malformed = 0;
  for (const file of files) {
    if (world.stop.aborted) throw world.stop.reason;
    const findings = await dumpFile(resolve(world.workingFolder, file), file, printer);
    if (findings.some(isMalformation)) malformed += 1;
  }
  return malformed === 0 ? EXIT.fine : EXIT.partial;
}

async function dumpFile(path: string, file: string, printer: Printer): Promise<readonly Finding[]> {
  try {
    await using part10 = await readPart10File(path, { tolerant: true });
    const inflated = printer.json ? await inflatedBulk(part10) : undefined;
    const document = dumpDocument(file, part10, inflated);
    await print(printer, document, () => linesOf(file, part10, document.findings));
    return part10.findings;
  } catch (thrown) {
    const findings = [findingOf(thrown)];
    await print(printer, { file, transferSyntax: "", meta: {}, dataset: {}, findings }, () =>
      headLines(file, "unknown", findings),
    );
    return findings;
  }
}

/** What could not be read at all. @throws what is no matter of the file */
function findingOf(thrown: unknown): Finding {
  if (isSystemError(thrown))
    return { code: "FILE_UNREADABLE", offset: 0, message: `the file cannot be read (${thrown.code})` };
  const { code, message, details } = toGatewayError(thrown);
  if (code === "INTERNAL") throw thrown;
  return { code, offset: typeof details.offset === "number" ? details.offset : 0, message };
}

/** Findings with a code of the error registry are what a strict reader refuses; the others are oddities. */
function isMalformation({ code }: Finding): boolean {
  return code in errorRegistry;
}

async function print(printer: Printer, document: DumpDocument, lines: () => Iterable<string>): Promise<void> {
  if (printer.json) return printer.text(`${formatDumpDocument(document)}\n`);
  let text = "";
  for (const line of lines()) {
    text += `${line}\n`;
    if (text.length < WRITE_CHARACTERS) continue;
    await printer.text(text);
    text = "";
  }
  await printer.text(text);
}

function* linesOf(
  file: string,
  { meta, dataSet, transferSyntaxUid }: Part10File,
  findings: readonly Finding[],
): Generator<string> {
  const { keyword, littleEndian } = transferSyntaxOf(transferSyntaxUid);
  yield* headLines(file, `${keyword} ${transferSyntaxUid}`, findings);
  yield* dumpLines(meta);
  yield* dumpLines(dataSet, littleEndian);
}

function* headLines(file: string, syntax: string, findings: readonly Finding[]): Generator<string> {
  yield `# ${file}: ${syntax}`;
  for (const { code, offset, message } of findings) yield `# ${code} at ${offset}: ${message}`;
}
