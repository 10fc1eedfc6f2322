import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { z } from "zod";
import { openStandIn } from "../../../compat/scanhub/stand-in.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { systemRandom } from "../../../units/random.ts";
import type { Cli } from "../../cli.ts";
import { counted } from "../../counted.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";

export interface SimulateOptions {
  readonly credentials: string;
  readonly url: string;
  readonly tasks: number;
  readonly sizeBytes: number;
  readonly fileName: string;
  readonly file?: string;
  readonly steps: number;
  readonly stepSeconds: number;
  readonly insecure?: boolean;
}

const credentialsDocument = z.object({ device_id: z.string(), device_token: z.string() });

export async function simulate(cli: Cli, options: SimulateOptions): Promise<ExitCode> {
  const { world, printer } = cli;
  const { device_id: deviceId, device_token: deviceToken } = await credentialsOf(cli, options.credentials);
  const { file, fileName, sizeBytes, steps, tasks, url, insecure = false } = options;
  const answers: { readonly task: string; readonly message: string }[] = [];
  await using device = await openStandIn({
    url,
    deviceId,
    deviceToken,
    steps,
    stepMs: options.stepSeconds * 1_000,
    fileName: file === undefined ? fileName : basename(file),
    content: file === undefined ? { sizeBytes } : { bytes: await readFile(resolve(world.workingFolder, file)) },
    clock: world.clock,
    random: systemRandom,
    rejectUnauthorized: !insecure,
    onEvent: (event, { task = "", message = "" }) => {
      if (event === "answer") answers.push({ task, message });
      printer.note(`${event} ${task} ${message}`.trimEnd());
    },
  });
  printer.note(`connected as ${deviceId}`);
  const done = await device.run(tasks, world.stop);
  await printer.document({ tasks: done, answers }, () => [`${counted(done, "task")} done`]);
  return done === tasks ? EXIT.fine : EXIT.partial;
}

async function credentialsOf(cli: Cli, path: string): Promise<z.infer<typeof credentialsDocument>> {
  const problem = "the credentials file is no JSON document with device_id and device_token";
  try {
    const text = await readFile(resolve(cli.world.workingFolder, path), "utf8");
    return credentialsDocument.parse(JSON.parse(text));
  } catch (thrown) {
    throw new GatewayError("USAGE_INVALID", { problem }, thrown);
  }
}
