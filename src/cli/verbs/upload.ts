import { type Command, Option } from "commander";
import { SettingsError } from "../../config/problems.ts";
import type { UploadedResult } from "../../delivery/results/upload-results.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { problemOf } from "../../units/file-problems.ts";
import type { Cli } from "../cli.ts";
import { counted } from "../counted.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { examples } from "../help.ts";

const HELP = `
Configured by FLIP's own environment names: XNAT_URL, XNAT_SERVICE_USER, XNAT_SERVICE_PASSWORD, BASE_IMAGES_DOWNLOAD_DIR.
Files lie in the folder <net>/upload below the last. Each is called uploaded once XNAT lists it with its size and sum.
`;

interface UploadVerbOptions {
  readonly project: string;
  readonly accession: string;
  readonly net: string;
  readonly scan?: string;
  readonly assessor?: string;
  readonly resource: string;
  readonly existOk?: boolean;
  readonly keepFolders?: boolean;
}

export function addUploadVerb(program: Command, cli: Cli): void {
  program
    .command("upload")
    .description("put results into a scan or an assessor of a session in XNAT")
    .argument("<files...>", "files, relative to the net's upload folder")
    .requiredOption("--project <id>", "the hub's id of the project, or XNAT's own")
    .requiredOption("--accession <label>", "label of the session")
    .requiredOption("--net <id>", "the net whose upload folder holds the files")
    .addOption(
      new Option("--scan <id>", "the scan; it is made when the session has none of this id").conflicts("assessor"),
    )
    .option("--assessor <id>", "the assessor, in place of a scan")
    .requiredOption("--resource <label>", "the resource; it is made when it is not there")
    .option("--exist-ok", "replace files that are there")
    .option("--keep-folders", "keep sub-folders below the resource")
    .addHelpText(
      "after",
      HELP + examples("upload --project 5f0e0b52 --accession ACC1 --net unet --scan 3 --resource SEG mask.nii.gz"),
    )
    .action(cli.verb((files: readonly string[], options: UploadVerbOptions) => upload(cli, files, options)));
}

interface UploadDocument {
  readonly project: string;
  readonly resource: string;
  readonly files: readonly UploadedResult[];
}

async function upload(cli: Cli, paths: readonly string[], options: UploadVerbOptions): Promise<ExitCode> {
  const { environment, stop, clock } = cli.world;
  const { openXnatClient } = await import("../../network/rest/xnat/login.ts");
  const { projectNamed } = await import("../../network/rest/xnat/site.ts");
  const { resultFilesIn, uploadFolderOf } = await import("../../delivery/results/local-files.ts");
  const { uploadResults } = await import("../../delivery/results/upload-results.ts");

  const settings = xnatSettings(environment, FOLDER);
  const { accession: session, resource, net, existOk = false, keepFolders = false } = options;
  const of = ownerOf(options);
  // All that is ours is looked at before XNAT is asked.
  const files = await resultFilesIn(await uploadFolderOf((environment[FOLDER] ?? "").trim(), net), paths, {
    keepFolders,
  });
  const { url, username, password } = settings;
  const credentials = { username, password: () => Promise.resolve(password) };
  await using client = openXnatClient({ baseUrl: url, credentials }, clock);
  const project = await projectNamed(client, options.project, stop);
  const uploaded = await uploadResults(client, { project, session, of, resource }, files, { existOk }, stop);
  const document: UploadDocument = { project, resource, files: uploaded };
  await cli.printer.document(document, () => uploadLines(document));
  return EXIT.fine;
}

/** @throws GatewayError USAGE_INVALID when neither is named */
export function ownerOf({ scan, assessor }: { readonly scan?: string; readonly assessor?: string }) {
  if (assessor !== undefined) return { assessor };
  if (scan !== undefined) return { scan };
  throw new GatewayError("USAGE_INVALID", { problem: "neither --scan nor --assessor is given" });
}

function* uploadLines({ files }: UploadDocument): Generator<string> {
  for (const { name, sizeBytes, outcome } of files)
    yield `${outcome.padEnd(9)}  ${name}  ${counted(sizeBytes, "byte")}`;
}

const FOLDER = "BASE_IMAGES_DOWNLOAD_DIR";
const NEEDED = ["XNAT_URL", "XNAT_SERVICE_USER", "XNAT_SERVICE_PASSWORD"] as const;

/** @throws SettingsError that names every variable that is missing, further ones that are needed too */
export function xnatSettings(environment: Readonly<Record<string, string | undefined>>, ...more: readonly string[]) {
  const missing = [...NEEDED, ...more].filter((name) => (environment[name] ?? "").trim() === "");
  if (missing.length > 0) {
    const remedy = "Set it in the environment, as for the original imaging-api.";
    const problem = (name: string) =>
      problemOf({ path: [name], code: "SETTING_MISSING", message: `${name} is needed.`, remedy });
    throw new SettingsError(missing.map(problem));
  }
  const value = (name: (typeof NEEDED)[number]): string => environment[name] ?? "";
  return {
    url: value("XNAT_URL").trim(),
    username: value("XNAT_SERVICE_USER").trim(),
    password: value("XNAT_SERVICE_PASSWORD"),
  };
}
