import type { SettingsError, SettingsProblem } from "../config/problems.ts";
import { type ErrorDocument, type GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import { factsText } from "./fact-text.ts";
import type { Printer } from "./printer.ts";

/** The document on stdout under `--json`; for people a line with the remedy below it, on stderr. */
export async function reportError(thrown: unknown, printer: Printer): Promise<void> {
  const error = toGatewayError(thrown);
  const document = error.toJSON();
  if (error.code === "INTERNAL") printer.note(`radferry: unforeseen ${whatAndWhere(error)}`);
  if (printer.json && !printer.hasPrinted) return printer.document({ error: document }, () => []);
  const problems = isSettingsError(error) ? error.problems : [];
  const [ofFile] = problems.filter(({ code }) => code === error.code);
  // About a file as a whole: the problem says the same as the error, and more of it.
  const lines =
    ofFile !== undefined && problems.length === 1
      ? errorLines({ ...document, message: ofFile.message, remedy: ofFile.remedy, details: {} })
      : [...errorLines(document), ...problemLines(problems)];
  for (const line of lines) printer.note(line);
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Two lines for each problem of the settings: where and what, and the remedy. */
export function* problemLines(problems: readonly SettingsProblem[]): Generator<string> {
  for (const { path, code, message, remedy, line, column, source } of problems) {
    const at = column === undefined ? `line ${line}` : `line ${line}, column ${column}`;
    const place = source ?? (line === undefined ? undefined : at);
    const where = [path, ...(place === undefined ? [] : [`(${place})`])].filter((part) => part !== "").join(" ");
    yield `  ${where === "" ? "" : `${where}: `}${message} [${code}]`;
    yield `    What to do: ${remedy}`;
  }
}

/** By shape: the class itself would bring the whole of the configuration with it. */
function isSettingsError(error: GatewayError): error is SettingsError {
  return "problems" in error && Array.isArray(error.problems);
}

function* errorLines({ code, message, remedy, details }: ErrorDocument): Generator<string> {
  // Of a command line that is wrong, the parser's own words say most.
  const isUsage = code === "USAGE_INVALID" && details.problem !== undefined;
  const facts = isUsage || Object.keys(details).length === 0 ? [] : [factsText(details)];
  yield `radferry: ${isUsage ? details.problem : message} [${[code, ...facts].join(", ")}]`;
  yield `What to do: ${remedy}`;
}

/** Kind and place of a stranger. Its message is left out: it may quote what it stumbled over. */
function whatAndWhere({ cause, stack }: GatewayError): string {
  const trace = cause instanceof Error ? cause.stack : stack;
  const place = trace?.split("\n").find((line) => /^\s+at /.test(line));
  return `${cause instanceof Error ? cause.name : typeof cause} ${place?.trim() ?? ""}`.trim();
}
