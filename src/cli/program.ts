import { Command, Option } from "commander";
import { type Cli, LOG_LEVELS } from "./cli.ts";
import { optionDescription, withinWidth } from "./help.ts";
import { addRehearsals } from "./rehearsals.ts";
import { addArchiveVerbs } from "./verbs/archive.ts";
import { addAuditVerbs } from "./verbs/audit.ts";
import { addCohortVerbs } from "./verbs/cohort.ts";
import { addEvidenceVerbs } from "./verbs/cohort-evidence.ts";
import { addCompatVerbs } from "./verbs/compat.ts";
import { addCompletionVerbs } from "./verbs/completion.ts";
import { addConfigVerbs } from "./verbs/config.ts";
import { addDatabaseVerbs } from "./verbs/db.ts";
import { addDeidVerbs } from "./verbs/deid.ts";
import { addDicomVerbs } from "./verbs/dicom.ts";
import { addDoctorVerb } from "./verbs/doctor.ts";
import { addFlipVerbs } from "./verbs/flip.ts";
import { addInitVerb } from "./verbs/init.ts";
import { addIntakeVerbs } from "./verbs/intake.ts";
import { addLinkageVerbs } from "./verbs/linkage.ts";
import { addNodeVerbs } from "./verbs/node.ts";
import { addNotificationVerbs } from "./verbs/notification.ts";
import { addPatientVerbs } from "./verbs/patient.ts";
import { addPixlVerbs } from "./verbs/pixl.ts";
import { addProjectVerbs } from "./verbs/project.ts";
import { addScanHubVerbs } from "./verbs/scanhub.ts";
import { addScannerVerbs } from "./verbs/scanner.ts";
import { addServeVerb } from "./verbs/serve.ts";
import { addStudyVerbs } from "./verbs/study.ts";
import { addTokenVerbs } from "./verbs/token.ts";
import { addUploadVerb } from "./verbs/upload.ts";
import { programVersion } from "./version.ts";

const DESCRIPTION =
  "Ferries imaging studies from hospital archives into research stores: complete, de-identified, accounted for.";

/** Where the output is no terminal. */
const DEFAULT_WIDTH = 100;

const AFTER_HELP = `
Exit codes: 0 fine, 1 it failed, 2 wrong usage or configuration, 3 some of it was done.
The configuration is the file of -c, else of RADFERRY_CONFIG, else ./radferry.yaml; the dicom, deid, flip, pixl, scanhub, scanner and compat verbs need none.

To begin:
  radferry init
  radferry doctor
  radferry cohort submit wanted.csv --project lung-ct --wait`;

/** The verbs and their options. What carries them out is loaded when a verb is called. */
export function buildProgram(cli: Cli): Command {
  const { world, printer } = cli;
  const helpWidth = (): number => world.stdout.columns ?? DEFAULT_WIDTH;
  const program = new Command("radferry")
    .description(DESCRIPTION)
    .version(programVersion(), "--version", "print the version")
    .option("-c, --config <file>", "the configuration file")
    .option("--json", "one JSON document on stdout, everything else on stderr")
    .addOption(new Option("--log-level <level>", "how much is logged to stderr").choices(LOG_LEVELS))
    .helpOption("-h, --help", "print this help")
    .addHelpText("after", AFTER_HELP)
    .exitOverride()
    .configureHelp({ optionDescription })
    .configureOutput({
      writeOut: (text) => world.stdout.write(withinWidth(text, helpWidth())),
      // With --json the error is a document; else it is reported after the parser has thrown it.
      writeErr: (text) => (printer.json ? undefined : world.stderr.write(text)),
      outputError: () => undefined,
      getOutHelpWidth: helpWidth,
      getErrHelpWidth: () => world.stderr.columns ?? DEFAULT_WIDTH,
    });
  addInitVerb(program, cli);
  addServeVerb(program, cli);
  addCohortVerbs(program, cli);
  addStudyVerbs(program, cli);
  addIntakeVerbs(program, cli);
  addArchiveVerbs(program, cli);
  addProjectVerbs(program, cli);
  addLinkageVerbs(program, cli);
  addPatientVerbs(program, cli);
  addAuditVerbs(program, cli);
  addEvidenceVerbs(program, cli);
  addDatabaseVerbs(program, cli);
  addTokenVerbs(program, cli);
  addNodeVerbs(program, cli);
  addNotificationVerbs(program, cli);
  addConfigVerbs(program, cli);
  addDoctorVerb(program, cli);
  addDicomVerbs(program, cli);
  addDeidVerbs(program, cli);
  addFlipVerbs(program, cli);
  addPixlVerbs(program, cli);
  addScanHubVerbs(program, cli);
  addScannerVerbs(program, cli);
  addUploadVerb(program, cli);
  addCompatVerbs(program, cli);
  addCompletionVerbs(program, cli);
  addRehearsals(program);
  return program;
}
