import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ExamClient } from "../../network/rest/scanhub/exam-client.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { examples } from "../help.ts";

const HELP = `
What the exam-manager answers comes out as it came. Everything but the one status that counts is an error: exit code 1.
`;
const TASK = "4f4b0dcb-0ad5-4e52-9ab7-1bd4a7d52e4d";
const RESULT = "0a4c1a57-9f8e-4d6a-8f5b-6a2f0a9d1c33";
const SEQUENCE = "64b7f0c2a1d3e4f5a6b7c8d9";

interface ExamOptions {
  readonly url?: string;
  readonly tokenFile: string;
}
interface FileOptions extends ExamOptions {
  readonly file: string;
}
interface TaskOptions extends ExamOptions {
  readonly task: string;
}

/** What a verb asks of the exam-manager; undefined when nothing is answered. */
type Ask = (client: ExamClient, token: string, signal: AbortSignal) => Promise<{ readonly text: string } | undefined>;

export function addScanHubVerbs(program: Command, cli: Cli): void {
  const scanhub = program.command("scanhub").description("ask a ScanHub exam-manager, as its device-manager does");
  const group = (name: string, description: string): Command => scanhub.command(name).description(description);
  const verb = (parent: Command, usage: string, description: string, example: string): Command =>
    parent
      .command(usage)
      .description(description)
      .option("--url <base>", "the exam-manager's API (default: http://exam-manager:8000/api/v1/exam)")
      .requiredOption("--token-file <file>", "file that holds the user's token, readable by you alone")
      .addHelpText("after", HELP + examples(`scanhub ${example} --token-file token`));

  const task = group("task", "acquisition tasks");
  verb(task, "get <id>", "a task", `task get ${TASK}`).action(
    cli.verb((id: string, options: ExamOptions) => run(cli, options, (exam, ...rest) => exam.getTask(id, ...rest))),
  );
  verb(task, "set <id>", "replace a task", `task set ${TASK} --file task.json`)
    .requiredOption("--file <file>", "the whole task, as `task get` gave it, changed")
    .action(
      cli.verb(async (id: string, options: FileOptions) => {
        const { acquisitionTaskOut } = await import("../../network/rest/scanhub/schemas.ts");
        const payload = await documentOf(cli, options, acquisitionTaskOut);
        return await run(cli, options, (exam, ...rest) => exam.setTask(id, payload, ...rest));
      }),
    );
  const sequence = group("sequence", "MRI sequences");
  verb(sequence, "get <id>", "a sequence, the text of its file included", `sequence get ${SEQUENCE}`).action(
    cli.verb((id: string, options: ExamOptions) => run(cli, options, (exam, ...rest) => exam.getSequence(id, ...rest))),
  );
  addResultVerbs(cli, group("result", "results of tasks"), verb);
}

function addResultVerbs(
  cli: Cli,
  result: Command,
  verb: (parent: Command, usage: string, description: string, example: string) => Command,
): void {
  verb(result, "create", "a blank result of a task", `result create --task ${TASK}`)
    .requiredOption("--task <id>", "the task that it belongs to")
    .action(
      cli.verb((options: TaskOptions) =>
        run(cli, options, (exam, ...rest) => exam.createBlankResult(options.task, ...rest)),
      ),
    );
  verb(result, "delete <id>", "delete a result", `result delete ${RESULT}`).action(
    cli.verb((id: string, options: ExamOptions) =>
      run(cli, options, async (exam, ...rest) => {
        await exam.deleteBlankResult(id, ...rest);
        return undefined;
      }),
    ),
  );
  verb(result, "set <id>", "say what a result is and where its files are", `result set ${RESULT} --file result.json`)
    .requiredOption("--file <file>", "type, directory, files and meta")
    .action(
      cli.verb(async (id: string, options: FileOptions) => {
        const { setResult } = await import("../../network/rest/scanhub/schemas.ts");
        const payload = await documentOf(cli, options, setResult);
        return await run(cli, options, (exam, ...rest) => exam.setResult(id, payload, ...rest));
      }),
    );
}

async function run({ world, printer }: Cli, { url, tokenFile }: ExamOptions, ask: Ask): Promise<ExitCode> {
  const { openExamClient } = await import("../../network/rest/scanhub/exam-client.ts");
  const { readTokenFile } = await import("../../config/credential-files.ts");
  const token = await readTokenFile(resolve(world.workingFolder, tokenFile));
  await using client = openExamClient({ url, clock: world.clock });
  const answer = await ask(client, token, world.stop);
  if (answer === undefined) await printer.document({ deleted: true }, () => []);
  else await printer.text(`${answer.text}\n`);
  return EXIT.fine;
}

interface Schema<T> {
  safeParse(value: unknown): { readonly success: true; readonly data: T } | { readonly success: false };
}

/** @throws GatewayError USAGE_INVALID */
async function documentOf<T>({ world }: Cli, { file }: FileOptions, schema: Schema<T>): Promise<T> {
  const text = await readFile(resolve(world.workingFolder, file), "utf8").catch((thrown: unknown) => {
    throw new GatewayError("USAGE_INVALID", { problem: "the file of --file cannot be read" }, thrown);
  });
  const parsed = schema.safeParse(jsonOf(text));
  if (!parsed.success) throw new GatewayError("USAGE_INVALID", { problem: "the file of --file is no such document" });
  return parsed.data;
}

/** Undefined for what is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
