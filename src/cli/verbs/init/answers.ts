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

/** Asks for what is missing where somebody is there to answer. @throws GatewayError USAGE_INVALID with the options that are missing */
export async function wholeAnswers(answers: InitAnswers, { ask, stop }: World): Promise<WholeAnswers> {
  const given = { archive: answers.archive, destination: answers.destination, project: answers.project };
  const missing = (["archive", "destination", "project"] as const).filter((name) => given[name] === undefined);
  if (missing.length > 0 && ask === undefined) {
    throw new GatewayError("USAGE_INVALID", { missing: missing.map((name) => `--${name}`).join(", ") });
  }
  const answered = async (name: keyof typeof QUESTIONS): Promise<string> =>
    (given[name] ?? (await ask?.(QUESTIONS[name], stop)) ?? "").trim();
  return {
    ...answers,
    archive: await answered("archive"),
    destination: await answered("destination"),
    project: await answered("project"),
  };
}
