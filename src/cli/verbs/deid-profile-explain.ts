import { type Explanation, explainAttribute, explainProfile } from "../../deid/profiles/explain.ts";
import { loadProfileDocument } from "../../deid/profiles/load-profile.ts";
import { resolveProfile } from "../../deid/profiles/profile-path.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { tableLines } from "../table.ts";

/** Most keywords, and most of what decides: a few are three times as long. */
const WIDEST_COLUMN = 36;

export async function explain(cli: Cli, profile: string, tag: string | undefined): Promise<ExitCode> {
  const document = loadProfileDocument(resolveProfile(profile, cli.world.workingFolder));
  if (tag !== undefined) {
    const explanation = explainAttribute(document, tag);
    await cli.printer.document(explanation, () => lines(explanation));
    return EXIT.fine;
  }
  await cli.printer.list(explainProfile(document), (all) =>
    tableLines(["TAG", "VR", "KEYWORD", "WHY", "WHAT HAPPENS"], rowsOf(all), WIDEST_COLUMN),
  );
  return EXIT.fine;
}

function* lines({ tag, keyword, vr, action, because, exceptions }: Explanation): Generator<string> {
  yield [tag, keyword, vr].filter((part) => part !== "").join(" ");
  yield `  ${action}`;
  yield `  why: ${because}`;
  for (const exception of exceptions) yield `  ${exception.where}: ${exception.action} (${exception.because})`;
}

async function* rowsOf(all: AsyncIterable<Explanation>): AsyncGenerator<readonly string[]> {
  for await (const { tag, keyword, vr, action, because, exceptions } of all) {
    yield [tag, vr, keyword, because, action];
    for (const exception of exceptions)
      yield ["", "", "", `${exception.where}: ${exception.because}`, exception.action];
  }
}
