import { isReference } from "./python-dates.ts";
import { isJsonObject, type JsonObject } from "./python-json.ts";

/**
 * What jsonpickle makes of a list, with each `py/id` replaced by the date or time zone that it stands for: each message can then be read by
 * itself. References to anything else stay.
 */
export function withoutReferences(list: readonly unknown[]): readonly unknown[] {
  const expanded = expand(list, []);
  return Array.isArray(expanded) ? expanded : list;
}

/** Names of objects that jsonpickle does not number. */
const UNNUMBERED = ["py/type", "py/function", "py/tuple", "py/id"];
const CALLS: ReadonlySet<string> = new Set(["py/reduce", "__reduce__"]);

/** @param numbered what each number stands for; undefined: nothing that may be referred to */
function expand(value: unknown, numbered: unknown[]): unknown {
  if (Array.isArray(value)) {
    numbered.push(undefined);
    return value.map((each) => expand(each, numbered));
  }
  if (!isJsonObject(value)) return value;
  if (isReference(value)) return numbered[Number(value["py/id"])] ?? value;
  if (UNNUMBERED.some((name) => name in value)) return membersOf(value, numbered);
  const number = numbered.push(undefined) - 1;
  const expanded = membersOf(value, numbered);
  if (Object.keys(value).some((name) => CALLS.has(name))) numbered[number] = expanded;
  return expanded;
}

function membersOf(value: JsonObject, numbered: unknown[]): JsonObject {
  const members = Object.entries(value).map(([name, each]): [string, unknown] => [
    name,
    CALLS.has(name) || name === "py/tuple" ? expandParts(each, numbered) : expand(each, numbered),
  ]);
  return Object.fromEntries(members);
}

/** The parts of a call, and its arguments, are no lists of the producer's own. */
function expandParts(value: unknown, numbered: unknown[]): unknown {
  if (!Array.isArray(value)) return expand(value, numbered);
  return value.map((each) =>
    Array.isArray(each) ? each.map((argument) => expand(argument, numbered)) : expand(each, numbered),
  );
}
