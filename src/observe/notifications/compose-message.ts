import { createHash } from "node:crypto";
import { errorRegistry } from "../../errors/registry.ts";
import type { ChannelMessage, Notice } from "../../units/notifications.ts";
import { filled } from "./templates.ts";
import type { TemplateName, Templates } from "./usual-templates.ts";

export type NumberedNotice = Notice & { readonly id: string };

/** A digest of thousands lists so many, and counts the others. */
const MOST_LINES = 50;
const MOST_NOTICES = 500;

/** One notice has words of its own; several are a digest. @param dropped how many more there were */
export function composeMessage(
  templates: Templates,
  notices: readonly [NumberedNotice, ...NumberedNotice[]],
  { dropped, nowMs }: { readonly dropped: number; readonly nowMs: number },
): ChannelMessage {
  const [first] = notices;
  const id = idOf(notices.map((notice) => notice.id));
  if (notices.length === 1 && dropped === 0) {
    const words = wordsOf(templates, first.event, { at: time(first.atMs), ...first.facts });
    return { id, event: first.event, atMs: nowMs, ...words, notices, count: 1 };
  }
  const count = notices.length + dropped;
  const words = wordsOf(templates, "digest", {
    at: time(nowMs),
    count,
    from: time(Math.min(...notices.map(({ atMs }) => atMs))),
    to: time(Math.max(...notices.map(({ atMs }) => atMs))),
    counts: countLines(notices, dropped).join("\n"),
    lines: noticeLines(notices).join("\n"),
  });
  return { id, event: "digest", atMs: nowMs, ...words, notices: notices.slice(0, MOST_NOTICES), count };
}

export function composeTest(templates: Templates, channel: string, nowMs: number): ChannelMessage {
  const words = wordsOf(templates, "test", { at: time(nowMs), channel });
  return { id: idOf([channel, String(nowMs)]), event: "test", atMs: nowMs, ...words, notices: [], count: 0 };
}

function wordsOf(
  templates: Templates,
  name: TemplateName,
  facts: Readonly<Record<string, string | number>>,
): Pick<ChannelMessage, "subject" | "text"> {
  const values = { event: name, ...facts, ...ofCode(facts.code) };
  const { subject, text } = templates[name];
  return { subject: filled(subject, values), text: filled(text, values) };
}

/** What the registry says of a code. */
function ofCode(code: string | number | undefined): { readonly summary: string; readonly remedy: string } {
  const entry = Object.entries(errorRegistry).find(([each]) => each === code)?.[1];
  return { summary: entry?.summary ?? "", remedy: entry?.remedy ?? "" };
}

function time(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** Who gets the same twice can tell by it. */
function idOf(parts: readonly string[]): string {
  return `message-${createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 24)}`;
}

function countLines(notices: readonly Notice[], dropped: number): readonly string[] {
  const counts = new Map<string, number>();
  for (const { event, project, facts } of notices) {
    const key = [event, project, facts.code].filter((part) => part !== undefined).join(" ");
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const lines = [...counts].sort((one, other) => other[1] - one[1]).map(([key, count]) => `${count} x ${key}`);
  const left = lines.length - MOST_LINES;
  return [
    ...lines.slice(0, MOST_LINES),
    ...(left > 0 ? [`and ${left} kinds more`] : []),
    ...(dropped > 0 ? [`${dropped} more, of which nothing was kept: the queue was full`] : []),
  ];
}

function noticeLines(notices: readonly Notice[]): readonly string[] {
  const lines = notices.slice(0, MOST_LINES).map(({ event, atMs, facts }) => {
    const said = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
    return `${time(atMs)} ${[event, ...said].join(", ")}`;
  });
  const left = notices.length - lines.length;
  return left > 0 ? [...lines, `and ${left} more`] : lines;
}
