import { type LintWarning, lintDocument, lintProfileFile } from "../../deid/profiles/lint.ts";
import { loadProfileDocument } from "../../deid/profiles/load-profile.ts";
import { isProfilePath, resolveProfile } from "../../deid/profiles/profile-path.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { counted, problemLines } from "../report-error.ts";

export async function lint(cli: Cli, profile: string): Promise<ExitCode> {
  const report = isProfilePath(profile)
    ? lintProfileFile(resolveProfile(profile, cli.world.workingFolder))
    : lintDocument(loadProfileDocument(profile));
  const { problems, warnings } = report;
  const ok = problems.length === 0;
  const headline = ok
    ? `the profile can be used, ${counted(warnings.length, "warning")}`
    : `${counted(problems.length, "problem")} in the profile:`;
  await cli.printer.document({ ok, ...report }, () => [
    headline,
    ...problemLines(problems),
    ...warnings.map(warningLine),
  ]);
  return ok ? EXIT.fine : EXIT.usage;
}

function warningLine({ path, line, code, message }: LintWarning): string {
  return `  ${path}${line === undefined ? "" : ` (line ${line})`}: ${message} [${code}]`;
}
