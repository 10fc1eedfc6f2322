import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { environmentIn } from "../../../compat/pixl/environment.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { Cli } from "../../cli.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";

export interface CheckEnvOptions {
  readonly error?: boolean;
  readonly sampleEnvFile?: string;
}

/** Whether every name of a sample is set, be it to nothing. */
export async function checkEnvVerb({ world, printer }: Cli, options: CheckEnvOptions): Promise<ExitCode> {
  const { environment, workingFolder } = world;
  const { error = false, sampleEnvFile = join(environment.PIXL_ROOT ?? "", ".env.sample") } = options;
  const sample = await readFile(resolve(workingFolder, sampleEnvFile), "utf8").catch((thrown: unknown) => {
    throw new GatewayError("USAGE_INVALID", { problem: "the sample file cannot be read" }, thrown);
  });
  const set = await environmentIn(workingFolder, environment);
  const missing = Object.keys(parseEnv(sample)).filter((name) => set[name] === undefined);
  await printer.document({ ok: missing.length === 0, missing }, () =>
    missing.length === 0
      ? ["Every variable is set."]
      : missing.map((name) => `Environment variable ${name} is not set`),
  );
  return error && missing.length > 0 ? EXIT.failed : EXIT.fine;
}
