import { diffProfiles, type ProfileDifference } from "../../deid/profiles/diff.ts";
import { loadProfileDocument } from "../../deid/profiles/load-profile.ts";
import { resolveProfile } from "../../deid/profiles/profile-path.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";

export async function diff(cli: Cli, a: string, b: string): Promise<ExitCode> {
  const [before, after] = [a, b].map((profile) =>
    loadProfileDocument(resolveProfile(profile, cli.world.workingFolder)),
  );
  if (before === undefined || after === undefined) return EXIT.usage;
  const difference = diffProfiles(before, after);
  await cli.printer.document(difference, () => lines(difference));
  return EXIT.fine;
}

function* lines({ attributes, settings }: ProfileDifference): Generator<string> {
  if (attributes.length === 0 && settings.length === 0) yield "the profiles do the same";
  for (const { path, a, b } of settings) {
    yield path;
    yield `  - ${JSON.stringify(a) ?? ""}`;
    yield `  + ${JSON.stringify(b) ?? ""}`;
  }
  for (const { tag, keyword, a, b } of attributes) {
    yield `${tag} ${keyword}`.trimEnd();
    yield `  - ${a}`;
    yield `  + ${b}`;
  }
}
