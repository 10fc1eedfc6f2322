import { randomUUID } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import type { SettingsProblem } from "../../../config/problems.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { DoctorDocument } from "../../../operations/documents.ts";
import { makeFolders } from "../../../units/make-folders.ts";
import type { Cli } from "../../cli.ts";
import { openGateway } from "../../gateway-session.ts";
import { problemLines } from "../../report-error.ts";
import { isThere, writeWholeFile } from "../../write-whole-file.ts";
import { doctorLines } from "../doctor.ts";
import { type InitAnswers, type WholeAnswers, wholeAnswers, withoutWrongAnswers } from "./answers.ts";
import { isFolder, settingsText } from "./settings-text.ts";

/** How often wrong answers are asked for again. */
const ROUND_LIMIT = 5;

/**
 * Writes a settings file and a key, and tries them. Who sits at a terminal is told what is wrong with an answer, and asked again for that one alone.
 * @returns whether everything that was asked answered
 * @throws GatewayError USAGE_INVALID, INIT_FILE_EXISTS, KEY_FILE_EXISTS, FILE_NOT_WRITABLE; SettingsError for answers that are no settings
 */
export async function initialise(cli: Cli, given: InitAnswers): Promise<boolean> {
  let answers = await wholeAnswers(given, cli.world);
  for (let round = 1; ; round += 1) {
    try {
      return await initialiseWith(cli, answers);
    } catch (thrown) {
      const problems = problemsOf(thrown);
      const right = withoutWrongAnswers(answers, problems, cli.world);
      if (problems.length === 0 || right === undefined || round === ROUND_LIMIT) throw thrown;
      for (const line of problemLines(problems)) cli.printer.note(line);
      answers = await wholeAnswers(right, cli.world);
    }
  }
}

async function initialiseWith(cli: Cli, answers: WholeAnswers): Promise<boolean> {
  const { world, printer, options } = cli;
  const file = resolve(world.workingFolder, answers.output ?? options().config ?? "radferry.yaml");
  const folder = dirname(file);
  const fromFile = (path: string): string => `./${relative(folder, path)}`;
  const keyFile = join(folder, "keys", `${answers.project}.key`);
  const home = answers.home === undefined ? join(folder, "radferry-home") : resolve(world.workingFolder, answers.home);
  const destination = isFolder(answers.destination)
    ? resolve(world.workingFolder, answers.destination)
    : answers.destination;
  const named = { home: answers.home === undefined ? fromFile(home) : home, keyFile: fromFile(keyFile) };
  const text = settingsText({ ...answers, destination }, named);
  for (const path of [file, keyFile]) if (await isThere(path)) throw new GatewayError("INIT_FILE_EXISTS", { path });
  if (cli.isRehearsal()) {
    if (!(await isThere(folder))) throw new GatewayError("FILE_NOT_WRITABLE", { reason: "ENOENT" });
    if (printer.json) await printer.document({ file, keyFile, settings: text, written: false }, () => []);
    else await printer.text(text);
    return true;
  }
  const keyId = await writeChecked(cli, file, text, () => makeKeyFile(keyFile));
  // As the service does at its start; where it cannot be made, doctor says why.
  if (isFolder(destination)) await mkdir(destination).catch(() => undefined);
  const doctor = answers.probe ? await probe(cli, file) : undefined;
  const next = doctor?.ok === false ? "doctor" : `cohort submit wanted.csv --project ${answers.project} --wait`;
  await printer.document({ file, keyFile, keyId, written: true, ...(doctor === undefined ? {} : { doctor }) }, () => [
    `wrote ${file}`,
    `made ${keyFile}, key ${keyId}: keep it, apart from the data`,
    ...(doctor === undefined ? [] : ["", ...doctorLines(doctor)]),
    "",
    `Next: radferry -c ${relative(world.workingFolder, file)} ${next}`,
  ]);
  return doctor?.ok !== false;
}

/** By shape: the class would bring the whole of the configuration with it. */
function problemsOf(thrown: unknown): readonly SettingsProblem[] {
  const isOurs = thrown instanceof GatewayError && thrown.code === "INIT_ANSWERS_INVALID";
  return isOurs && "problems" in thrown && Array.isArray(thrown.problems) ? thrown.problems : [];
}

async function makeKeyFile(path: string): Promise<string> {
  const { generateProjectKey } = await import("../../../deid/pseudonyms/project-key.ts");
  await makeFolders(dirname(path), { mode: 0o700 });
  return (await generateProjectKey(path)).id;
}

/** The file gets its name once it is found right; the key is made only then. @throws SettingsError */
async function writeChecked(
  { world }: Cli,
  file: string,
  text: string,
  makeKey: () => Promise<string>,
): Promise<string> {
  const draft = join(dirname(file), `.${basename(file)}.${randomUUID()}.draft`);
  await writeWholeFile(draft, onePiece(text));
  try {
    const { checkSettings } = await import("../../../config/load-settings.ts");
    const { problems } = await checkSettings({ file: draft, environment: {}, cwd: world.workingFolder }, world.clock);
    const others = problems.filter(({ code }) => code !== "KEY_FILE_MISSING");
    if (others.length > 0) {
      const { SettingsError } = await import("../../../config/problems.ts");
      throw new SettingsError(others.map(ofOption), "INIT_ANSWERS_INVALID");
    }
    const keyId = await makeKey();
    await rename(draft, file);
    return keyId;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Beginnings of the paths in the file, and the options that their values come from. */
const OPTIONS_OF_PATHS: readonly (readonly [string, string])[] = [
  ["home", "--home"],
  ["dicom.aeTitle", "--aet"],
  ["dicom", "--listen"],
  ["archives[0]", "--archive"],
  ["destinations[0]", "--destination"],
  ["projects[0].profile", "--profile"],
  ["projects[0]", "--project"],
];

/** There is no file to look into: a problem is told of the option that has to be another. */
function ofOption({ line: _line, column: _column, ...problem }: SettingsProblem): SettingsProblem {
  const source = OPTIONS_OF_PATHS.find(([path]) => problem.path.startsWith(path))?.[1];
  return source === undefined ? problem : { ...problem, source };
}

async function probe(cli: Cli, file: string): Promise<DoctorDocument> {
  const ofFile: Cli = { ...cli, options: () => ({ ...cli.options(), config: file }) };
  await using gateway = await openGateway(ofFile, "client");
  return await gateway.operations.doctor(cli.world.stop);
}

async function* onePiece(text: string): AsyncGenerator<string> {
  yield text;
}
