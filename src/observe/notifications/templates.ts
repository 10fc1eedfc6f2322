import { NOTICE_EVENTS } from "../../units/notifications.ts";
import { type Template, type TemplateName, type Templates, USUAL_TEMPLATES } from "./usual-templates.ts";

/** What every message can say. */
const COMMON = ["event", "at"] as const;
const OF_CODE = ["summary", "remedy"] as const;
const PLACEHOLDER = /\{\{\s*([A-Za-z]+)\s*\}\}/g;
const LONGEST_SUBJECT = 200;
const LONGEST_TEXT = 20_000;
const LONGEST_VALUE = 200;

export const TEMPLATE_NAMES = Object.keys(USUAL_TEMPLATES) as readonly TemplateName[];

/** What a template may name in double braces. */
export function placeholdersOf(name: TemplateName): readonly string[] {
  if (name === "digest") return [...COMMON, "count", "from", "to", "counts", "lines"];
  if (name === "test") return [...COMMON, "channel"];
  const fields: readonly string[] = NOTICE_EVENTS[name].fields;
  return [...COMMON, ...fields, ...(fields.includes("code") ? OF_CODE : [])];
}

/** One thing wrong with a site's templates; it repeats no text of theirs but the name of a placeholder. */
export interface TemplateProblem {
  readonly template: string;
  readonly problem: string;
}

export type OwnTemplates = { readonly [Name in TemplateName]?: Template };

/** @param value of a site's file: templates by event; what it leaves out stays as usual */
export function readTemplates(value: unknown): {
  readonly templates: OwnTemplates;
  readonly problems: readonly TemplateProblem[];
} {
  if (value === null || value === undefined) return { templates: {}, problems: [] };
  if (typeof value !== "object" || Array.isArray(value))
    return { templates: {}, problems: [{ template: "", problem: "templates by the names of events are expected" }] };
  const templates: { [Name in TemplateName]?: Template } = {};
  const problems: TemplateProblem[] = [];
  for (const [key, entry] of Object.entries(value)) {
    const name = TEMPLATE_NAMES.find((each) => each === key);
    const template = asTemplate(entry);
    if (name === undefined) problems.push({ template: shortName(key), problem: "there is no event of this name" });
    else if (template === undefined)
      problems.push({ template: name, problem: "subject and text are expected, as texts" });
    else {
      problems.push(...problemsOf(name, template));
      templates[name] = template;
    }
  }
  return { templates, problems };
}

export function templatesWith(own: OwnTemplates): Templates {
  return { ...USUAL_TEMPLATES, ...own };
}

function asTemplate(entry: unknown): Template | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const { subject, text, ...rest }: { readonly subject?: unknown; readonly text?: unknown } = entry;
  const isWhole = typeof subject === "string" && typeof text === "string" && Object.keys(rest).length === 0;
  return isWhole ? { subject: subject.trim(), text } : undefined;
}

function problemsOf(name: TemplateName, { subject, text }: Template): readonly TemplateProblem[] {
  const problems: string[] = [];
  if (subject === "" || subject.length > LONGEST_SUBJECT || /\p{Cc}/u.test(subject))
    problems.push(`the subject must be one line of up to ${LONGEST_SUBJECT} characters`);
  if (text === "" || text.length > LONGEST_TEXT) problems.push(`the text must have up to ${LONGEST_TEXT} characters`);
  const known = placeholdersOf(name);
  for (const part of [subject, text]) {
    for (const [, placeholder = ""] of part.matchAll(PLACEHOLDER))
      if (!known.includes(placeholder))
        problems.push(`there is no placeholder ${shortName(placeholder)}; known are ${known.join(", ")}`);
    if (/\{\{|\}\}/.test(part.replace(PLACEHOLDER, ""))) problems.push("double braces are for placeholders alone");
  }
  return [...new Set(problems)].map((problem) => ({ template: name, problem }));
}

function shortName(text: string): string {
  return /^[A-Za-z-]{1,40}$/.test(text) ? text : "?";
}

/** Values that may have several lines and any length; all others are put in as one short line. */
const LONG_VALUES: ReadonlySet<string> = new Set(["counts", "lines", "remedy", "summary"]);

/** What is put in is taken as it is: nothing in it is a placeholder. */
export function filled(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replaceAll(PLACEHOLDER, (_, name: string) => {
    const value = String(Object.hasOwn(values, name) ? values[name] : "");
    return LONG_VALUES.has(name) ? value : value.replaceAll(/\p{Cc}/gu, " ").slice(0, LONGEST_VALUE);
  });
}
