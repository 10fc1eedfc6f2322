import { GatewayError } from "../../errors/gateway-error.ts";
import type { SearchQuery } from "../search/documents.ts";
import { dateOf, dayOf } from "../search/windows.ts";

const RELATIVE = /^(?:today|-(?<count>\d{1,4})(?<unit>[dw]))$/;
const DAYS: Readonly<Record<string, number>> = { d: 1, w: 7 };

/** Queries with their dates as they are on that day: `today`, `-7d` and `-2w` count back from it. */
export function queriesOn(queries: readonly SearchQuery[], today: string): readonly SearchQuery[] {
  return queries.map((query) => ({ ...query, from: dateOn(query.from, today), to: dateOn(query.to, today) }));
}

/** @param today YYYYMMDD. @throws GatewayError SEARCH_QUERY_INVALID for what reaches back beyond all calendars */
function dateOn(date: string | undefined, today: string): string | undefined {
  const match = date === undefined ? null : RELATIVE.exec(date);
  if (match === null) return date;
  const { count = "0", unit = "d" } = match.groups ?? {};
  const day = (dayOf(today) ?? 0) - Number(count) * (DAYS[unit] ?? 1);
  if (day < 0) throw new GatewayError("SEARCH_QUERY_INVALID", { problem: "a date is before 1970" });
  return dateOf(day);
}

/** What the calendar of a place shows, YYYYMMDD. @param timeZone a name of the IANA database */
export function dateIn(timeZone: string, atMs: number): string {
  const format = new Intl.DateTimeFormat("en", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });
  const named = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
  return `${named.get("year")}${named.get("month")}${named.get("day")}`;
}
