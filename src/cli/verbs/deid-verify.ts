import { access, constants } from "node:fs/promises";
import { resolve } from "node:path";
import { createDeidentifier } from "../../deid/deidentifier.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { errorRegistry } from "../../errors/registry.ts";
import type { Cli } from "../cli.ts";
import { counted } from "../counted.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { deidentifierOptionsOf, type ProjectOptions } from "./deid-run-options.ts";

export interface VerifyOptions extends ProjectOptions {
  readonly participantId?: string;
}

/** Checks a pair as every output is checked before it leaves. */
export async function verify(cli: Cli, original: string, output: string, options: VerifyOptions): Promise<ExitCode> {
  const { world, printer } = cli;
  const engine = createDeidentifier(await deidentifierOptionsOf(cli, options));
  const [path, outputPath] = await Promise.all([original, output].map((file) => readable(cli, file)));
  if (path === undefined || outputPath === undefined) throw new GatewayError("FILE_UNREADABLE");
  const verdict = await engine.verify({ path, outputPath, participantId: options.participantId }, world.stop);
  await printer.document(verdict, () => [
    verdict.ok
      ? `passed: ${counted(verdict.identifiers, "identifier")} searched for in ${counted(verdict.sizeBytes, "byte")}`
      : `FAILED: ${errorRegistry[verdict.code].summary} [${verdict.code}, ${verdict.reason}]`,
  ]);
  return verdict.ok ? EXIT.fine : EXIT.failed;
}

async function readable({ world }: Cli, file: string): Promise<string> {
  const path = resolve(world.workingFolder, file);
  await access(path, constants.R_OK).catch((cause: unknown) => {
    throw new GatewayError("FILE_UNREADABLE", {}, cause);
  });
  return path;
}
