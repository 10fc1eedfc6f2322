import type { Command } from "commander";
import type { Cli } from "../../cli.ts";
import { examples } from "../../help.ts";
import { collect, countOption, levelOption, maximumOption, uidOption } from "../../option-parsers.ts";
import { withHttpOptions } from "./http-options.ts";
import type { QidoOptions } from "./qido.ts";
import type { StowOptions } from "./stow.ts";
import type { WadoOptions } from "./wado.ts";

const URL_ARGUMENT = ["<url>", "base URL of the DICOMweb service"] as const;
const EXAMPLE = "https://pacs.example.org/dicom-web";

const WADO_HELP = `
Bytes are kept as they come. Exit code 3 when some instances could not be taken, or the answer broke off: what came whole is kept.
`;

const STOW_HELP = `
Exit code 3 when the server refused some, 1 when it refused all. What it says nothing of counts as not stored.
`;

/** DICOMweb from the shell. PS3.18 10. */
export function addWebVerbs(dicom: Command, cli: Cli): void {
  withHttpOptions(
    dicom
      .command("qido")
      .description("search a DICOMweb service (QIDO-RS)")
      .argument(...URL_ARGUMENT),
  )
    .option("-k, --key <keyword=value>", "key to match; may be given several times", collect, [])
    .addOption(levelOption("what is listed"))
    .addOption(maximumOption())
    .option("--fuzzy", "match names loosely, where the service can")
    .addHelpText("after", examples(`dicom qido ${EXAMPLE} -k PatientID=4711 -k StudyDate=20260101-20260131`))
    .action(
      cli.verb(async (url: string, options: QidoOptions) => {
        const { qido } = await import("./qido.ts");
        return await qido(cli, url, options);
      }),
    );
  withHttpOptions(
    dicom
      .command("wado")
      .description("retrieve a study, series or instance (WADO-RS) as DIR/<SOP Instance UID>.dcm")
      .argument(...URL_ARGUMENT),
  )
    .requiredOption("--study <uid>", "study to retrieve", uidOption)
    .option("--series <uid>", "one of its series only", uidOption)
    .option("--instance <uid>", "one instance of the series only", uidOption)
    .requiredOption("--out <dir>", "where the files go; made when it is missing")
    .option("--transfer-syntax <uid>", "the one that is wanted; else as stored", uidOption)
    .addHelpText("after", WADO_HELP + examples(`dicom wado ${EXAMPLE} --study 1.2.3 --out study`))
    .action(
      cli.verb(async (url: string, options: WadoOptions) => {
        const { wado } = await import("./wado.ts");
        return await wado(cli, url, options);
      }),
    );
  withHttpOptions(
    dicom
      .command("stow")
      .description("send files and folders to a DICOMweb service (STOW-RS)")
      .argument(...URL_ARGUMENT),
  )
    .argument("<paths...>", "files, and folders with all that is in them")
    .option("--study <uid>", "the study that all are of", uidOption)
    .option("--batch <n>", "instances in one request", countOption, 100)
    .addHelpText("after", STOW_HELP + examples(`dicom stow ${EXAMPLE} study/ extra.dcm`))
    .action(
      cli.verb(async (url: string, paths: readonly string[], options: StowOptions) => {
        const { stow } = await import("./stow.ts");
        return await stow(cli, url, paths, options);
      }),
    );
}
