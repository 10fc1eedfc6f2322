import { type Command, InvalidArgumentError } from "commander";
import type { Cli } from "../cli.ts";
import { examples } from "../help.ts";
import type { CheckEnvOptions } from "./pixl/check-env.ts";
import type { PopulateVerbOptions, QueueOptions, RateOptions } from "./pixl/driver.ts";
import type { PatientDataOptions } from "./pixl/patient-data.ts";

const HELP = `
Configured by the names that PIXL's own command line reads, from the environment, else from .env in this folder.
`;
const POPULATE_HELP = `${HELP}
PATH is a CSV extract of PIXL or the folder of an OMOP extract, whose public part is copied below HOST_EXPORT_ROOT_DIR. Writes down in PIXL's database what is asked for, publishes what is not exported yet, and waits: once the
queues are empty, and after CLI_RETRY_SECONDS, what is still not exported is asked for again, as long as that brings anything.
Exit code 3 when rows were refused.
`;

const DOCTOR_HELP = `
Configured by the imaging API's own names, from the environment, else from .env in this folder: run it where radferry compat pixl runs.
Moves nothing; queues that are not there are declared. Exit code 1 when a check fails.
`;

/** Each verb's code is loaded when it is called. */
export function addPixlVerbs(program: Command, cli: Cli): void {
  const pixl = program
    .command("pixl")
    .description("PIXL's command line: fills its queues, starts and stops its imaging API")
    .option("--debug", "log everything, as --log-level debug")
    .option("--no-debug", "log as usual (default)")
    .on("option:debug", () => program.setOptionValue("logLevel", "debug"));
  const verb = (name: string, description: string) =>
    pixl
      .command(name)
      .description(description)
      .option("--queues <names>", "separated by commas", queuesOption, ["imaging-primary"]);
  verb("populate", "ask for the studies of an extract, and see them through")
    .argument("<path>", "the extract")
    .option("--rate <n>", "messages a second (PIXL_IMAGING_API_RATE, else 1)", rateOption)
    .option("--priority <n>", "1 to 5, 5 first", priorityOption, 1)
    .option("--num-retries <n>", "how often to ask again for what was not exported", retriesOption, 5)
    .option("--start", "set the rate, and ask again for what was not exported", true)
    .option("--no-start", "only fill the queues: set no rate, ask for nothing again")
    .addHelpText("after", POPULATE_HELP + examples("pixl populate cohort.csv", "pixl populate cohort.csv --no-start"))
    .action(
      cli.verb(async (path: string, options: PopulateVerbOptions) => (await driver()).populateVerb(cli, path, options)),
    );
  verb("start", "have messages worked off")
    .option("--rate <n>", "messages a second (PIXL_IMAGING_API_RATE, else 1)", rateOption)
    .addHelpText("after", HELP + examples("pixl start", "pixl start --rate 0.5"))
    .action(cli.verb(async (options: RateOptions) => (await driver()).startVerb(cli, options)));
  verb("update", "change the rate")
    .requiredOption("--rate <n>", "messages a second; 0 pauses", rateOption)
    .addHelpText("after", HELP + examples("pixl update --rate 2"))
    .action(cli.verb(async (options: RateOptions) => (await driver()).updateVerb(cli, options)));
  verb("stop", "pause; what is under way is finished")
    .option("--purge", "delete what is in the queues")
    .option("--no-purge", "leave what is in the queues (default)")
    .addHelpText("after", HELP + examples("pixl stop", "pixl stop --purge"))
    .action(
      cli.verb(async (options: QueueOptions & { readonly purge?: boolean }) => (await driver()).stopVerb(cli, options)),
    );
  verb("status", "the rate of each queue, and what waits in it")
    .addHelpText("after", HELP + examples("pixl status", "pixl status --queues imaging-primary,imaging-secondary"))
    .action(cli.verb(async (options: QueueOptions) => (await driver()).statusVerb(cli, options)));
  addFolderVerbs(pixl, cli);
  addParkedVerbs(pixl, cli);
  pixl
    .command("doctor")
    .description("check what the imaging API needs: broker, queues, Orthancs, modalities, database, clock")
    .addHelpText("after", DOCTOR_HELP + examples("pixl doctor", "pixl doctor --json"))
    .action(cli.verb(async () => (await import("./pixl/doctor.ts")).doctorVerb(cli)));
  addDatabaseVerbs(pixl, cli);
}

const PATIENT_DATA_HELP = `${HELP}
DIR is the folder of an OMOP extract. Writes IMAGE_LINKER.parquet, which has the pseudonymous UID of each exported study beside its procedure,
below HOST_EXPORT_ROOT_DIR, and has the export API upload the extract.
`;

function addFolderVerbs(pixl: Command, cli: Cli): void {
  pixl
    .command("export-patient-data")
    .description("link exported studies with their procedures, and upload the extract")
    .argument("<dir>", "the extract")
    .option("--timeout <seconds>", "for the export API's answer", secondsOption, 300)
    .addHelpText("after", PATIENT_DATA_HELP + examples("pixl export-patient-data extract"))
    .action(
      cli.verb(async (path: string, options: PatientDataOptions) =>
        (await import("./pixl/patient-data.ts")).exportPatientDataVerb(cli, path, options),
      ),
    );
  pixl
    .command("check-env")
    .description("whether every name of PIXL's .env.sample is set, in the environment or in .env")
    .option("--error", "exit code 1 when one is not")
    .option("--sample-env-file <file>", "instead of .env.sample in PIXL_ROOT")
    .addHelpText(
      "after",
      examples("pixl check-env", "pixl check-env --error --sample-env-file deploy/pixl/.env.sample"),
    )
    .action(
      cli.verb(async (options: CheckEnvOptions) => (await import("./pixl/check-env.ts")).checkEnvVerb(cli, options)),
    );
}

const PARKED_HELP = `${HELP}
What can never be worked off, and what was tried too often, is in the queue imaging-parked with the reason.
`;

function addParkedVerbs(pixl: Command, cli: Cli): void {
  const parked = pixl.command("parked").description("messages that could not be worked off");
  const verbs = () => import("./pixl/parked.ts");
  const clearing = (name: string, description: string, to: "queues" | "nowhere") =>
    parked
      .command(name)
      .description(description)
      .option("--code <code>", "only those parked for this reason")
      .addHelpText(
        "after",
        PARKED_HELP + examples(`pixl parked ${name}`, `pixl parked ${name} --code INSTANCES_MISSING`),
      )
      .action(
        cli.verb(async ({ code }: { readonly code?: string }) => (await verbs()).clearParkedVerb(cli, { code, to })),
      );
  parked
    .command("list")
    .description("why each is there, and where it came from")
    .option("--bodies", "the messages themselves too; they name patients")
    .addHelpText("after", PARKED_HELP + examples("pixl parked list", "pixl parked list --bodies --json"))
    .action(cli.verb(async (options: { readonly bodies?: boolean }) => (await verbs()).listParkedVerb(cli, options)));
  clearing("replay", "send them back to the queues they came from", "queues");
  clearing("discard", "delete them", "nowhere");
}

const REVISION = "a revision, or";

function addDatabaseVerbs(pixl: Command, cli: Cli): void {
  const database = pixl.command("db").description("PIXL's schema pixl_pipeline, as alembic keeps it");
  const end = (example: string): string => HELP + examples(example);
  database
    .command("current")
    .description("the revision the database is at")
    .addHelpText("after", end("pixl db current"))
    .action(cli.verb(async () => (await schema()).currentVerb(cli)));
  database
    .command("upgrade")
    .description("bring the schema up to a revision, all steps or none")
    .argument("[revision]", `${REVISION} head`, "head")
    .addHelpText("after", end("pixl db upgrade"))
    .action(cli.verb(async (revision: string) => (await schema()).upgradeVerb(cli, revision)));
  database
    .command("downgrade")
    .description("take steps back; what the dropped columns and tables hold is lost")
    .argument("<revision>", `${REVISION} base, or -1 for one step`)
    .addHelpText("after", end("pixl db downgrade 83dcb3812628"))
    .action(cli.verb(async (revision: string) => (await schema()).downgradeVerb(cli, revision)));
  database
    .command("history")
    .description("the revisions there are")
    .addHelpText("after", end("pixl db history"))
    .action(cli.verb(async () => (await schema()).historyVerb(cli)));
}

const driver = () => import("./pixl/driver.ts");
const schema = () => import("./pixl/schema.ts");

function queuesOption(text: string): readonly string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.some((name) => !/^(?:export|imaging-primary|imaging-secondary)$/.test(name))) {
    throw new InvalidArgumentError("Queues are imaging-primary, imaging-secondary and export.");
  }
  return names;
}

function rateOption(text: string): number {
  const rate = /^\d{1,6}(?:\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(rate)) throw new InvalidArgumentError("Write a number from 0.");
  return rate;
}

function priorityOption(text: string): number {
  if (!/^[1-5]$/.test(text)) throw new InvalidArgumentError("Write a number from 1 to 5.");
  return Number(text);
}

function secondsOption(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError("Write a whole number from 1.");
  return Number(text);
}

function retriesOption(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError("Write a whole number from 0.");
  return Number(text);
}
