import { type Command, Option } from "commander";
import type { Cli } from "../../cli.ts";
import { examples } from "../../help.ts";
import { collect, countOption } from "../../option-parsers.ts";
import { type HttpOptions, withHttpOptions } from "./http-options.ts";

export interface Rad69Options extends HttpOptions {
  readonly study?: string;
  readonly series?: string;
  readonly instance?: readonly string[];
  readonly instances?: string;
  readonly out: string;
  readonly perSeries?: boolean;
  readonly single?: boolean;
  readonly parallel: number;
  readonly repository?: string;
  readonly homeCommunity?: string;
  readonly transferSyntax?: readonly string[];
  readonly request: "mtom" | "plain";
  readonly attempts: number;
  readonly ignore: readonly string[];
}

const RAD69_HELP = `
One request for each series; --single asks for all instances in one. With --parallel requests run at once, and a series is cut
into several unless --per-series says otherwise. Instances that came whole are kept whatever happens to the rest; what did not
come is asked for again, alone. Exit code 3 when some did not come, 1 when none came.
`;

export function addRad69(dicom: Command, cli: Cli): void {
  const command = dicom
    .command("rad69")
    .description("retrieve from an imaging document source (IHE RAD-69) as DIR/<SOP Instance UID>.dcm")
    .argument("<url>", "its endpoint")
    .requiredOption("--out <dir>", "where the files go; made when it is missing")
    .option("--study <uid>", "study of the instances named by --instance")
    .option("--series <uid>", "series of the instances named by --instance")
    .option("--instance <uid...>", "SOP Instance UIDs")
    .option("--instances <file>", "a tab-separated file without header: study, series, instance")
    .addOption(new Option("--per-series", "one request for each series, no more and no fewer").conflicts("single"))
    .addOption(new Option("--single", "one request for all instances"))
    .option("--parallel <n>", "requests at once", countOption, 1)
    .option("--repository <oid>", "repository unique id of the source")
    .option("--home-community <urn>", "home community id, where a gateway asks for it")
    .option("--transfer-syntax <uid...>", "transfer syntaxes that may come; else any")
    .addOption(
      new Option("--request <encoding>", "how the request is written").choices(["mtom", "plain"]).default("mtom"),
    )
    .option("--attempts <n>", "how often what did not come is asked for", countOption, 3)
    .option("--ignore <code>", "an error that is none, ours or the source's; may be given several times", collect, []);
  const url = "https://vitrea.example.org:2525/rids";
  withHttpOptions(command)
    .addHelpText("after", RAD69_HELP + examples(`dicom rad69 ${url} --instances wanted.tsv --out study --parallel 4`))
    .action(
      cli.verb(async (endpoint: string, options: Rad69Options) => {
        const { rad69 } = await import("./rad69.ts");
        return await rad69(cli, endpoint, options);
      }),
    );
}
