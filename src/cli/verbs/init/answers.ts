import type { SettingsProblem } from "../../../config/problems.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { World } from "../../world.ts";

/** What the command line said. */
export interface InitAnswers {
  readonly archive?: string;
  readonly archiveKind: "dicomweb" | "orthanc";
  readonly retrieve: "move" | "get";
  readonly destination?: string;
  readonly destinationKind: "dicomweb" | "orthanc";
  readonly project?: string;
  readonly profile: string;
  readonly aet: string;
  readonly listen?: string;
  readonly home?: string;
  readonly output?: string;
  readonly probe: boolean;
}

export type WholeAnswers = InitAnswers & Readonly<Required<Pick<InitAnswers, "archive" | "destination" | "project">>>;

const QUESTIONS = {
  archive: "Archive (AET@host:port, or the URL of a DICOMweb server or an Orthanc): ",
  destination: "Destination (a folder, AET@host:port, or a URL): ",
  project: "Name of the first project: ",
} as const;

type Asked = keyof typeof QUESTIONS;
const ASKED = Object.keys(QUESTIONS) as readonly Asked[];

/** How often an empty answer is asked for again. */
const QUESTION_LIMIT = 3;

/** Asks for what is missing where somebody is there to answer. @throws GatewayError USAGE_INVALID with the options that are missing */
export async function wholeAnswers(answers: InitAnswers, { ask, stop }: World): Promise<WholeAnswers> {
  const given: Partial<Record<Asked, string>> = {};
  const missing: Asked[] = [];
  for (const name of ASKED) {
    let answer = answers[name]?.trim();
    for (let asked = 0; ask !== undefined && isBlank(answer) && asked < QUESTION_LIMIT; asked += 1)
      answer = (await ask(QUESTIONS[name], stop).catch(rethrowKeys)).trim();
    if (isBlank(answer)) missing.push(name);
    else given[name] = answer;
  }
  const { archive, destination, project } = given;
  if (archive === undefined || destination === undefined || project === undefined)
    throw new GatewayError("USAGE_INVALID", { missing: missing.map((name) => `--${name}`).join(", ") });
  return { ...answers, archive, destination, project };
}

/** Ctrl-C and Ctrl-D are keys to a terminal that is being read, no signals. */
function rethrowKeys(thrown: unknown): never {
  throw thrown instanceof Error && thrown.name === "AbortError" ? new GatewayError("CANCELLED", {}, thrown) : thrown;
}

/** Without what the problems are about, so that it is asked for again; undefined where something else is wrong, or nobody is there to ask. */
export function withoutWrongAnswers(
  answers: WholeAnswers,
  problems: readonly SettingsProblem[],
  { ask }: World,
): InitAnswers | undefined {
  if (ask === undefined) return undefined;
  const wrong = ASKED.filter((name) => problems.some(({ source }) => source === `--${name}`));
  if (problems.some(({ source }) => !wrong.some((name) => source === `--${name}`))) return undefined;
  const rest: { -readonly [name in keyof InitAnswers]: InitAnswers[name] } = { ...answers };
  for (const name of wrong) delete rest[name];
  return rest;
}

function isBlank(answer: string | undefined): answer is undefined | "" {
  return answer === undefined || answer === "";
}
