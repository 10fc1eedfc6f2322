import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { examples } from "../help.ts";
import { codecOption } from "../option-parsers.ts";
import type { ImportCtpOptions } from "./deid-import-ctp.ts";
import type { PreviewOptions } from "./deid-preview.ts";
import { addDeidProfileVerbs } from "./deid-profile.ts";
import type { RunOptions } from "./deid-run.ts";
import type { VerifyOptions } from "./deid-verify.ts";

const PROFILE = "a shipped profile, or the path of a profile's file";
const KEY_FILE = "the project's key, made by project new-key";
const CODEC =
  "a program that decodes compressed images where a mask needs it, as JPEGBaseline8Bit,JPEG2000=./decode; repeatable";
const LOOKUP = "lookup table of pseudonyms: CSV with kind,original,replacement and maybe project";

const RUN_HELP = `
Files are laid out as DIR/PROJECT/PATIENT/STUDY/SERIES/INSTANCE.dcm, every part a pseudonym, with a report beside the series.
A bad file does not stop the others. Files that fail are named by their number in the order of the paths: names may tell a
patient's, and are shown with --names alone. Exit code 3 when any failed or was not let out. Links are counted, not followed.
--mapping-dir undoes the de-identification: uids.csv and patients.csv name every original beside its replacement. It is for scoring a
profile against made-up studies; the folder must be its owner's alone, outside of the input and the output.
`;

const IMPORT_CTP_HELP = `
Key types that are known are pid, ptid, patient, acc, accession, suid, studyuid and the like; others have to be named by --map or --leave-out.
Every line that cannot be used is told by its number, and nothing is written then.
`;

export function addDeidVerbs(program: Command, cli: Cli): void {
  const deid = program
    .command("deid")
    .description("de-identify files and look at profiles; needs no configuration file");
  addRun(deid, cli);
  addPreview(deid, cli);
  addVerify(deid, cli);
  addDeidProfileVerbs(deid, cli);
  addImportCtp(deid, cli);
}

function addImportCtp(deid: Command, cli: Cli): void {
  deid
    .command("import-ctp-lookup")
    .description("make a lookup table of pseudonyms of one of CTP's DicomAnonymizer")
    .argument("<file>", "its properties file, or CSV as its editor takes it")
    .requiredOption("-o, --output <file>", "the lookup table to write")
    .option("--project <name>", "for this project alone")
    .option("--map <type=kind...>", "what a key type of the site stands for, as subj=patient")
    .option("--leave-out <types...>", "key types whose entries are not wanted")
    .option("--merge-patients", "several patients may become one")
    .addHelpText(
      "after",
      IMPORT_CTP_HELP + examples("deid import-ctp-lookup LookupTable.properties -o lookup.csv --project lung-ct"),
    )
    .action(
      cli.verb(async (file: string, options: ImportCtpOptions) => {
        const { importCtp } = await import("./deid-import-ctp.ts");
        return await importCtp(cli, file, options);
      }),
    );
}

function addRun(deid: Command, cli: Cli): void {
  const run = deid
    .command("run")
    .description("de-identify every file of a folder into another one")
    .argument("<in>", "a folder, with all that is in it")
    .argument("<out>", "where the files go; made when it is missing");
  addProjectOptions(run, "a label: the first folder of the output, and whose rows of the lookup table hold")
    .option("--names", "name the files that failed")
    .option("--mapping-dir <dir>", "write which identifier became which, for scoring alone")
    .addHelpText(
      "after",
      RUN_HELP + examples("deid run incoming outgoing --profile research --key-file keys/lung-ct.key"),
    )
    .action(
      cli.verb(async (input: string, output: string, options: RunOptions) => {
        const { runFolder } = await import("./deid-run.ts");
        return await runFolder(cli, input, output, options);
      }),
    );
}

/** What de-identifies: the same for every verb, so that an output is judged by what made it. */
function addProjectOptions(command: Command, project: string): Command {
  return command
    .requiredOption("--profile <profile>", PROFILE)
    .requiredOption("--key-file <file>", KEY_FILE)
    .option("--project <name>", project, "project")
    .option("--lookup <file>", LOOKUP)
    .option("--merge", "several patients of the lookup table may become one")
    .option("--hash-key-file <file>", "PIXL's hash key: patients are hashed as PIXL does, with the two salts beside it")
    .option("--project-salt-file <file>", "PIXL's salt of the project")
    .option("--local-salt-file <file>", "PIXL's salt of the site; may be empty")
    .option("--codec <syntaxes=program>", CODEC, codecOption);
}

const PREVIEW_HELP = `
Shows classes and lengths of values, never a value. Lengths below 4 are not told.
With --values the values themselves, and the project's own pseudonyms: for this it needs a site's configuration and the role admin, and each
look is written to the audit trail.

--thumbnail shows what a mask leaves: the picture is made behind it, never before. An object that would not leave has none, nor has one that is
compressed otherwise than by RLE. The file is readable by you alone; it holds pixels and nothing else.
`;

function addPreview(deid: Command, cli: Cli): void {
  deid
    .command("preview")
    .description("what a profile does to each element of a file, before and after")
    .argument("<file>")
    .requiredOption("--profile <profile>", PROFILE)
    .option("--values", "show the values, before and after")
    .option("--project <name>", "with --values: whose pseudonyms are made")
    .option("--thumbnail <file>", "write a small grey picture of the pixels that would leave, as PNG")
    .addHelpText(
      "after",
      PREVIEW_HELP +
        examples(
          "deid preview image.dcm --profile research",
          "-c site.yaml deid preview image.dcm --profile research --values --project lung-ct",
          "deid preview image.dcm --profile masks.yaml --thumbnail image.png",
        ),
    )
    .action(
      cli.verb(async (file: string, options: PreviewOptions) => {
        const { preview } = await import("./deid-preview.ts");
        return await preview(cli, file, options);
      }),
    );
}

const VERIFY_HELP = `
Reads the output anew and searches it for everything the original tells, as every output is checked before it is let out.
Exit code 1 when it does not pass, with the code and the tag.
`;

function addVerify(deid: Command, cli: Cli): void {
  const verify = deid
    .command("verify")
    .description("check a de-identified file against its original")
    .argument("<original>")
    .argument("<output>");
  addProjectOptions(verify, "whose rows of the lookup table hold")
    .option("--participant-id <id>", "the pseudonym that a cohort gave the patient")
    .addHelpText(
      "after",
      VERIFY_HELP + examples("deid verify in.dcm out.dcm --profile research --key-file keys/lung-ct.key"),
    )
    .action(
      cli.verb(async (original: string, output: string, options: VerifyOptions) => {
        const { verify: verifyPair } = await import("./deid-verify.ts");
        return await verifyPair(cli, original, output, options);
      }),
    );
}
