import { type Command, Option } from "commander";
import type { Cli } from "../cli.ts";
import { examples } from "../help.ts";

const TAG_EXAMPLE = `'(0019,"SIEMENS MR HEADER",0C)'`;

/** The verbs about profiles; none needs a configuration file. */
export function addDeidProfileVerbs(deid: Command, cli: Cli): void {
  deid
    .command("explain")
    .description("what a profile does with each attribute, and why")
    .argument("<profile>", "a shipped profile or a file")
    .argument("[tag]", "one attribute: keyword, (gggg,eeee), or a private element by its creator")
    .addHelpText("after", examples("deid explain research StudyDate", `deid explain neuro.yaml ${TAG_EXAMPLE}`))
    .action(
      cli.verb(async (profile: string, tag: string | undefined) => {
        const { explain } = await import("./deid-profile-explain.ts");
        return await explain(cli, profile, tag);
      }),
    );
  deid
    .command("lint")
    .description("everything wrong with a profile, exit code 2, and what may be a slip in it")
    .argument("<profile>", "a shipped profile or a file")
    .addHelpText("after", examples("deid lint neuro.yaml"))
    .action(
      cli.verb(async (profile: string) => {
        const { lint } = await import("./deid-profile-lint.ts");
        return await lint(cli, profile);
      }),
    );
  deid
    .command("diff")
    .description("what differs between two profiles, by attribute")
    .argument("<a>", "a shipped profile or a file")
    .argument("<b>", "another")
    .addHelpText("after", examples("deid diff basic research", "deid diff neuro-v2.yaml neuro-v3.yaml --json"))
    .action(
      cli.verb(async (a: string, b: string) => {
        const { diff } = await import("./deid-profile-diff.ts");
        return await diff(cli, a, b);
      }),
    );
  deid
    .command("import-pixl")
    .description("make a profile of PIXL's tag operations; it goes to stdout")
    .argument("[base...]", "tag operation files: the later wins, tag by tag")
    .option("--project-config <file>", "PIXL's configuration of a project: its filters, and the files it names")
    .option("--image-sizes <rowsxcolumns...>", "of the images that the project's image operations are for")
    .option("--masks-file <file>", "where the masks for these sizes are written")
    .option("--manufacturer-overrides <files...>", "files with operations by manufacturer")
    .requiredOption("--name <name>", "the profile's name")
    .addOption(
      new Option("--pseudonyms <mode>", "patients hashed with PIXL's secrets, or the project's key").choices([
        "pixl",
        "hmac",
      ]),
    )
    .option("--accept-free-text", "study and series descriptions that PIXL keeps are cleaned, not refused")
    .addHelpText(
      "after",
      examples(
        "deid import-pixl base.yaml mri.yaml --name pixl-mri --accept-free-text > pixl-mri.yaml",
        "deid import-pixl --project-config configs/us.yaml --name pixl-us --accept-free-text --image-sizes 768x1024 --masks-file us-masks.yaml",
      ),
    )
    .action(
      cli.verb(async (base: readonly string[], options: ImportOptions) => {
        const { importPixl } = await import("./deid-profile-import.ts");
        return await importPixl(cli, base, options);
      }),
    );
}

export interface ImportOptions {
  readonly name: string;
  readonly projectConfig?: string;
  readonly imageSizes?: readonly string[];
  readonly masksFile?: string;
  readonly manufacturerOverrides?: readonly string[];
  readonly acceptFreeText?: boolean;
  readonly pseudonyms?: "pixl" | "hmac";
}
