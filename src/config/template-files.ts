import { readFile, stat } from "node:fs/promises";
import { parse } from "yaml";
import { GatewayError } from "../errors/gateway-error.ts";
import { readTemplates, type TemplateProblem, templatesWith } from "../observe/notifications/templates.ts";
import { type Templates, USUAL_TEMPLATES } from "../observe/notifications/usual-templates.ts";

const LONGEST_BYTES = 1 << 20;
const MOST_ALIASES = 10;

/** Thrown with everything that is wrong with a site's templates. The code is NOTIFICATION_TEMPLATES_INVALID. */
export class TemplatesError extends GatewayError {
  override readonly name = "TemplatesError";
  readonly problems: readonly TemplateProblem[];

  constructor(problems: readonly TemplateProblem[]) {
    super("NOTIFICATION_TEMPLATES_INVALID", { problems: problems.length });
    this.problems = problems;
  }
}

/** A site's words, and the usual ones for what it leaves out. @throws TemplatesError, GatewayError NOTIFICATION_TEMPLATES_UNREADABLE */
export async function loadTemplates(path: string | undefined): Promise<Templates> {
  if (path === undefined) return USUAL_TEMPLATES;
  const { templates, problems } = readTemplates(parsed(await textOf(path)));
  if (problems.length > 0) throw new TemplatesError(problems);
  return templatesWith(templates);
}

async function textOf(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > LONGEST_BYTES) throw new RangeError("too long");
    return await readFile(path, "utf8");
  } catch (thrown) {
    throw new GatewayError("NOTIFICATION_TEMPLATES_UNREADABLE", { path }, thrown);
  }
}

function parsed(text: string): unknown {
  try {
    const value: unknown = parse(text, { maxAliasCount: MOST_ALIASES, logLevel: "silent" });
    return value;
  } catch {
    throw new TemplatesError([{ template: "", problem: "it is not valid YAML" }]);
  }
}
