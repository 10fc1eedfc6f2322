import { expect, it } from "vitest";
import { composeMessage, composeTest } from "./compose-message.ts";
import { filled, placeholdersOf, readTemplates, TEMPLATE_NAMES, templatesWith } from "./templates.ts";
import { USUAL_TEMPLATES } from "./usual-templates.ts";

const FAILED = {
  id: "notice-1",
  event: "study-failed",
  atMs: 0,
  project: "lung",
  facts: { job: "job-1", project: "lung", code: "STAGING_FULL" },
} as const;

it("has usual words for every event that keep to its placeholders", () => {
  expect(readTemplates(USUAL_TEMPLATES).problems).toEqual([]);
  for (const name of TEMPLATE_NAMES) expect(placeholdersOf(name)).toContain("at");
});

it.each<[string, unknown, string]>([
  ["a list", ["a"], "templates by the names of events are expected"],
  ["an event that is none", { "study-lost": { subject: "a", text: "b" } }, "there is no event of this name"],
  ["a text alone", { "study-failed": { text: "b" } }, "subject and text are expected, as texts"],
  [
    "more than that",
    { "study-failed": { subject: "a", text: "b", html: "c" } },
    "subject and text are expected, as texts",
  ],
  ["a number", { "study-failed": { subject: "a", text: 3 } }, "subject and text are expected, as texts"],
  [
    "a subject of two lines",
    { "study-failed": { subject: "a\nBcc: b", text: "b" } },
    "the subject must be one line of up to 200 characters",
  ],
  [
    "a placeholder of another event",
    { "study-failed": { subject: "a", text: "{{cohort}}" } },
    "there is no placeholder cohort; known are event, at, job, project, code, summary, remedy",
  ],
  ["a program", { "study-failed": { subject: "a", text: "{{#each x}}" } }, "double braces are for placeholders alone"],
])("does not take %s", (_, value, problem) => {
  expect(readTemplates(value).problems.map((each) => each.problem)).toEqual([problem]);
});

it("takes a site's own words for one event, and says what is to be done by the code", () => {
  const own = { "study-failed": { subject: " {{ job }} is lost ", text: "{{code}}: {{remedy}} ({{at}})" } };
  const templates = templatesWith(readTemplates(own).templates);
  const message = composeMessage(templates, [FAILED], { dropped: 0, nowMs: 5 });
  expect(message).toMatchObject({ event: "study-failed", subject: "job-1 is lost", count: 1 });
  expect(message.text).toMatch(/^STAGING_FULL: .{10,} \(1970-01-01T00:00:00\.000Z\)$/);
  expect(composeTest(templates, "operators", 0).subject).toContain("operators");
});

it("puts values in as they are: none becomes a placeholder or another line", () => {
  expect(filled("{{a}}|{{b}}|{{toString}}", { a: "{{b}}", b: "x\r\ny" })).toBe("{{b}}|x  y|");
});

it("tells several notices together, with counts, and does not list thousands", () => {
  const many = Array.from({ length: 700 }, (_, index) => ({ ...FAILED, id: `notice-${index}`, atMs: index }));
  const [first, ...others] = many;
  if (first === undefined) throw new Error("there are some");
  const message = composeMessage(USUAL_TEMPLATES, [first, ...others], { dropped: 3, nowMs: 1_000 });
  expect(message).toMatchObject({ event: "digest", count: 703, subject: "Radferry: 703 notices" });
  expect(message.text).toContain("700 x study-failed lung STAGING_FULL");
  expect(message.text).toContain("3 more, of which nothing was kept");
  expect(message.text).toContain("and 650 more");
  expect(message.notices).toHaveLength(500);
  const again = composeMessage(USUAL_TEMPLATES, [first, ...others], { dropped: 3, nowMs: 2_000 });
  expect(again.id).toBe(message.id);
});
