import { minuteClock, nowMs } from "../browser/clock.ts";

const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

const UNITS = [
  { unit: "day", seconds: 86_400 },
  { unit: "hour", seconds: 3_600 },
  { unit: "minute", seconds: 60 },
] as const;

/** "3 min ago", "in 2 hr". */
function relativeText(atMs: number, presentMs: number): string {
  const seconds = (atMs - presentMs) / 1_000;
  const fitting = UNITS.find((each) => Math.abs(seconds) >= each.seconds);
  if (fitting === undefined) return seconds > 10 ? "in a moment" : "just now";
  return relative.format(Math.round(seconds / fitting.seconds), fitting.unit);
}

/** What has just happened is not yet to come, however long ago the clock's last tick was. */
function liveNowMs(): number {
  return Math.max(minuteClock.value, nowMs());
}

/** How long ago or from now; the full time, in the browser's zone, on hover and for who listens. */
export function Time({ at }: { readonly at: string | undefined | null }) {
  if (at === undefined || at === null) return <span class="quiet">–</span>;
  const date = new Date(at);
  return (
    <time dateTime={at} title={absolute.format(date)}>
      {relativeText(date.getTime(), liveNowMs())}
    </time>
  );
}

/** The full time beside how long ago it is. */
export function FullTime({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={relativeText(new Date(at).getTime(), liveNowMs())}>
      {absolute.format(new Date(at))}
    </time>
  );
}

/** "45 s", "3 min 20 s", "2 h 5 min", "3 d 4 h". */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3_600)} h`;
}
