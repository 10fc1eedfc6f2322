import { type Command, InvalidArgumentError, Option } from "commander";
import { SCAN_TASK_STATUSES } from "../../store/acquisition-states.ts";
import { ROLES } from "../../units/actor.ts";
import type { Cli } from "../cli.ts";
import { examples } from "../help.ts";
import { countOption, secondsOption } from "../option-parsers.ts";
import type { RegisterOptions, TokenOptions } from "./scanner/access.ts";
import type { FetchOptions, ResultListOptions } from "./scanner/results.ts";
import type { SequenceOptions } from "./scanner/sequences.ts";
import type { SimulateOptions } from "./scanner/simulate.ts";
import type { SubmitOptions } from "./scanner/submit.ts";
import type { CreateOptions, TaskListOptions } from "./scanner/tasks.ts";

const HELP = `
State is kept in RADFERRY_HOME (/var/lib/radferry), beside a running \`radferry compat scanhub\` too.
`;
const ID = "4f4b0dcb-0ad5-4e52-9ab7-1bd4a7d52e4d";
const USUAL_URL = "ws://127.0.0.1:8000/api/v1/device/ws";

/** Each verb's code is loaded when it is called. */
export function addScannerVerbs(program: Command, cli: Cli): void {
  const scanner = program.command("scanner").description("research scanners: devices, tasks, sequences and results");
  addAccessVerbs(scanner, cli);
  addTaskVerbs(scanner.command("task").description("what scanners are to do"), cli);
  addSequenceVerbs(scanner.command("sequence").description("sequences that tasks name"), cli);
  addResultVerbs(scanner.command("result").description("what scanners sent"), cli);
  scanner
    .command("simulate")
    .description("be a scanner: take tasks, report progress, send made-up data")
    .requiredOption("--credentials <file>", "what `scanner register` or createdevice gave")
    .option("--url <url>", "where the gateway listens for devices", USUAL_URL)
    .option("--tasks <n>", "end after so many", countOption, 1)
    .option("--size-bytes <n>", "of each file", countOption, 1_000_000)
    .option("--file-name <name>", "of each file", "scan.mrd")
    .option("--file <file>", "send this file instead of made-up data")
    .option("--steps <n>", "reports of progress for each task", countOption, 4)
    .option("--step-seconds <s>", "between two of them", secondsOption, 0.25)
    .option("--insecure", "take any certificate of wss")
    .addHelpText("after", HELP + examples("scanner simulate --credentials device_credentials.json --tasks 3"))
    .action(
      cli.verb(async (options: SimulateOptions) => (await import("./scanner/simulate.ts")).simulate(cli, options)),
    );
}

const access = () => import("./scanner/access.ts");

function addAccessVerbs(scanner: Command, cli: Cli): void {
  scanner
    .command("list")
    .description("registered scanners")
    .addHelpText("after", HELP + examples("scanner list"))
    .action(cli.verb(async () => (await access()).listDevices(cli)));
  scanner
    .command("register")
    .description("register a scanner; its credentials are shown this once")
    .argument("<name>", "what people call it")
    .option("--description <text>", "what it is", "MR scanner")
    .option("--credentials <file>", "write them there, readable by you alone, instead of showing them")
    .addHelpText("after", HELP + examples("scanner register MR3T --credentials device_credentials.json"))
    .action(cli.verb(async (name: string, options: RegisterOptions) => (await access()).register(cli, name, options)));
  scanner
    .command("revoke")
    .description("end a scanner's registration; an open connection is closed")
    .argument("<id>", "the scanner")
    .addHelpText("after", HELP + examples(`scanner revoke ${ID}`))
    .action(cli.verb(async (id: string) => (await access()).revokeDevice(cli, id)));
  const token = scanner.command("token").description("tokens that users and services ask with");
  token
    .command("create")
    .description("make a token; it is shown this once")
    .addOption(new Option("--role <role>", "what its user may do").choices(ROLES).default("operator"))
    .option("--user <name>", "whose it is; stands as creator in tasks", "operator")
    .addHelpText("after", HELP + examples("scanner token create --role operator --user anna"))
    .action(cli.verb(async (options: TokenOptions) => (await access()).createToken(cli, options)));
  token
    .command("list")
    .description("tokens, without the tokens themselves")
    .addHelpText("after", HELP + examples("scanner token list"))
    .action(cli.verb(async () => (await access()).listTokens(cli)));
  token
    .command("revoke")
    .description("end a token")
    .argument("<id>", "as `token list` shows it")
    .addHelpText("after", HELP + examples("scanner token revoke token-1f0c"))
    .action(cli.verb(async (id: string) => (await access()).revokeToken(cli, id)));
}

const tasks = () => import("./scanner/tasks.ts");

function addTaskVerbs(task: Command, cli: Cli): void {
  task
    .command("list")
    .description("tasks, the first one first")
    .addOption(new Option("--status <status>", "only these").choices(SCAN_TASK_STATUSES))
    .addHelpText("after", HELP + examples("scanner task list --status ERROR"))
    .action(cli.verb(async (options: TaskListOptions) => (await tasks()).listTasks(cli, options)));
  task
    .command("show")
    .description("a task with its attempts, what happened in them, and its results")
    .argument("<id>", "the task")
    .addHelpText("after", HELP + examples(`scanner task show ${ID}`))
    .action(cli.verb(async (id: string) => (await tasks()).showTask(cli, id)));
  task
    .command("create")
    .description("make a task, which starts as soon as its scanner is there")
    .requiredOption("--sequence <id>", "the sequence")
    .option("--device <id>", "the scanner; left out: any that is free")
    .option("--name <text>", "what people call it", "scan")
    .option("--description <text>", "more of that", "")
    .option("--workflow <uuid>", "the workflow that it is part of; left out: a new id")
    .option("--no-start", "only make it")
    .addHelpText("after", HELP + examples("scanner task create --sequence 64b7f0c2a1d3e4f5a6b7c8d9"))
    .action(cli.verb(async (options: CreateOptions) => (await tasks()).createTask(cli, options)));
  task
    .command("cancel")
    .description("take a task back; a scanner that runs has to be stopped at its own console")
    .argument("<id>", "the task")
    .addHelpText("after", HELP + examples(`scanner task cancel ${ID}`))
    .action(cli.verb(async (id: string) => (await tasks()).cancelTask(cli, id)));
  task
    .command("retry")
    .description("have a task that ended done again")
    .argument("<id>", "the task")
    .addHelpText("after", HELP + examples(`scanner task retry ${ID}`))
    .action(cli.verb(async (id: string) => (await tasks()).retryTask(cli, id)));
  addReleaseVerb(task, cli);
}

function addReleaseVerb(task: Command, cli: Cli): void {
  task
    .command("release")
    .description("have files of a task that got stuck published, once what kept them back is mended")
    .argument("<id>", "the task")
    .addHelpText("after", HELP + examples(`scanner task release ${ID}`))
    .action(cli.verb(async (id: string) => (await tasks()).releaseFiles(cli, id)));
}

function addSequenceVerbs(sequence: Command, cli: Cli): void {
  const sequences = () => import("./scanner/sequences.ts");
  sequence
    .command("add")
    .description("keep a sequence, byte for byte")
    .argument("<file>", "a Pulseq file (.seq), or another one that the scanner reads")
    .option("--name <text>", "what people call it; left out: the file's name")
    .option("--description <text>", "more of that", "")
    .addHelpText("after", HELP + examples("scanner sequence add gre.seq"))
    .action(
      cli.verb(async (file: string, options: SequenceOptions) => (await sequences()).addSequence(cli, file, options)),
    );
  sequence
    .command("list")
    .description("sequences with their sums")
    .addHelpText("after", HELP + examples("scanner sequence list"))
    .action(cli.verb(async () => (await sequences()).listSequences(cli)));
}

function addResultVerbs(result: Command, cli: Cli): void {
  const results = () => import("./scanner/results.ts");
  result
    .command("list")
    .description("results, the first one first")
    .option("--task <id>", "of this task only")
    .addHelpText("after", HELP + examples("scanner result list"))
    .action(cli.verb(async (options: ResultListOptions) => (await results()).listResults(cli, options)));
  result
    .command("fetch")
    .description("copy a result's files, each verified by its sum, into a folder")
    .argument("<id>", "the result")
    .requiredOption("--out <folder>", "where to; what is there already is not replaced")
    .addHelpText("after", HELP + examples(`scanner result fetch ${ID} --out results`))
    .action(cli.verb(async (id: string, options: FetchOptions) => (await results()).fetchResult(cli, id, options)));
  result
    .command("verify")
    .description("read a result's file and compare it with what was received")
    .argument("<id>", "the result")
    .addHelpText("after", HELP + examples(`scanner result verify ${ID}`))
    .action(cli.verb(async (id: string) => (await results()).verifyResult(cli, id)));
  result
    .command("submit")
    .description("send a result on: as a study of a project, de-identified and delivered; or its files as they are")
    .argument("<id>", "the result")
    .option("--project <name>", "DICOM, as a study: its archives include the lake, as one of kind folder", nameOption)
    .option("--xnat <project>", "into XNAT, which XNAT_URL, XNAT_SERVICE_USER and XNAT_SERVICE_PASSWORD name")
    .option("--accession <label>", "with --xnat: label of the session")
    .addOption(new Option("--scan <id>", "with --xnat: the scan; it is made when there is none").conflicts("assessor"))
    .option("--assessor <id>", "with --xnat: the assessor, in place of a scan")
    .option("--resource <label>", "with --xnat: the resource; it is made when it is not there")
    .option("--exist-ok", "with --xnat: replace files that are there")
    .option("--out <folder>", "into a folder; what is there already is not replaced")
    .addHelpText(
      "after",
      HELP +
        examples(
          `-c radferry.yaml scanner result submit ${ID} --project lung-mr`,
          `scanner result submit ${ID} --xnat trial --accession ACC1 --scan 3 --resource MRD`,
        ),
    )
    .action(
      cli.verb(async (id: string, options: SubmitOptions) =>
        (await import("./scanner/submit.ts")).submitResult(cli, id, options),
      ),
    );
}

function nameOption(text: string): string {
  if (text === "") throw new InvalidArgumentError("Name a project.");
  return text;
}
