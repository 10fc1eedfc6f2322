import { readFile } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import { keepSequence } from "../../../acquisition/sequences.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { ScanSequenceFacts } from "../../../store/acquisitions.ts";
import { isMissing } from "../../../units/durable-files.ts";
import type { Cli } from "../../cli.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";
import { isSystemError } from "../../write-whole-file.ts";
import { isoTime, openDesk, PAGE, printRows } from "./desk.ts";

export interface SequenceOptions {
  readonly name?: string;
  readonly description: string;
}

function documentOf({ id, name, description, sequenceType, sizeBytes, sha256, createdAtMs }: ScanSequenceFacts) {
  return { id, name, description, type: sequenceType, sizeBytes, sha256, addedAt: isoTime(createdAtMs) };
}

export async function addSequence(cli: Cli, path: string, options: SequenceOptions): Promise<ExitCode> {
  const file = await readFile(resolve(cli.world.workingFolder, path)).catch((thrown: unknown) => {
    if (isMissing(thrown)) throw new GatewayError("USAGE_INVALID", { problem: "the file is not there" }, thrown);
    throw isSystemError(thrown) ? new GatewayError("FILE_UNREADABLE", { reason: thrown.code }, thrown) : thrown;
  });
  await using desk = await openDesk(cli);
  const fileExtension = extname(path) || undefined;
  const kept = await keepSequence(desk, {
    name: options.name ?? basename(path, fileExtension),
    description: options.description,
    sequenceType: fileExtension?.toLowerCase() === ".seq" ? "PULSEQ" : "OTHER",
    tags: [],
    file,
    fileExtension,
  });
  await cli.printer.document(documentOf(kept), () => [kept.id]);
  return EXIT.fine;
}

export async function listSequences(cli: Cli): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  const sequences = (await desk.store.listScanSequences(PAGE)).map(documentOf);
  await printRows(cli, sequences, ["ID", "NAME", "BYTES", "SHA-256"], ({ id, name, sizeBytes, sha256 }) => [
    id,
    name,
    String(sizeBytes),
    sha256,
  ]);
  return EXIT.fine;
}
