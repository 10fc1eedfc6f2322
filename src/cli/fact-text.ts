/** What an error, an event or an audit record says beside its name. */
type Fact = readonly [name: string, value: string | number | boolean];

const MOMENT = /^(?:at|until)Ms$|[a-z](?:At|Until)Ms$/;
/** The last moment that a Date can tell of. ECMA-262 21.4.1.1. */
const LAST_MOMENT_MS = 8.64e15;

/** As people read it: moments as ISO times, durations with their unit; `--json` has them as they are. */
function factText([name, value]: Fact): string {
  if (typeof value !== "number" || !name.endsWith("Ms")) return `${name} ${value}`;
  const what = name.slice(0, -"Ms".length);
  if (MOMENT.test(name))
    return Math.abs(value) > LAST_MOMENT_MS ? `${what} unknown` : `${what} ${new Date(value).toISOString()}`;
  return value < 1_000 ? `${what} ${Math.round(value)} ms` : `${what} ${Math.round(value / 100) / 10} s`;
}

export function factsText(facts: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(facts).map(factText).join(", ");
}
