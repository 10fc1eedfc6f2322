import { type Command, Option } from "commander";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { examples } from "../help.ts";
import type { InitAnswers } from "./init/answers.ts";

const HELP = `
Asks on a terminal for what no option says. Writes the settings file and the project's key, neither over one that is there, then asks the archive and
the destination whether they answer. Exit code 3 when the files are written and one of them does not: the file is right, or says what to change.
`;

const LISTEN =
  "where archives reach us, or the port alone; left out: port 11112, of every address where the archive is AET@host:port of another machine, else of this machine alone";

const EXAMPLES = examples(
  "init",
  "init --archive VNA@10.0.0.5:104 --destination /data/research --project lung-ct",
  "init --archive https://pacs.example.org/dicom-web --destination STORE@10.0.0.7:4242 --project lung-ct --dry-run",
);

export function addInitVerb(program: Command, cli: Cli): void {
  program
    .command("init")
    .description("make a settings file and a key to begin with, and try them")
    .option("--archive <peer>", "AET@host:port, or the URL of a DICOMweb server or an Orthanc")
    .addOption(new Option("--archive-kind <kind>", "of a URL").choices(["dicomweb", "orthanc"]).default("dicomweb"))
    .addOption(new Option("--retrieve <how>", "from AET@host:port").choices(["move", "get"]).default("move"))
    .option("--destination <place>", "a folder, AET@host:port, or the URL of a DICOMweb server or an Orthanc")
    .addOption(new Option("--destination-kind <kind>", "of a URL").choices(["dicomweb", "orthanc"]).default("dicomweb"))
    .option("--project <name>", "name of the first project")
    .option("--profile <name>", "its de-identification profile", "research")
    .option("--aet <title>", "our own AE title", "RADFERRY")
    .option("--listen <host:port>", LISTEN)
    .option("--home <folder>", "for the store, staging and reports; left out: radferry-home beside the settings file")
    .option("-o, --output <file>", "the settings file; left out: that of -c, else radferry.yaml")
    .option("--no-probe", "ask neither archive nor destination")
    .addHelpText("after", HELP + EXAMPLES)
    .action(
      cli.verb(async (options: InitAnswers): Promise<ExitCode> => {
        const { initialise } = await import("./init/initialise.ts");
        const isFine = await initialise(cli, options);
        return isFine ? EXIT.fine : EXIT.partial;
      }),
    );
}
