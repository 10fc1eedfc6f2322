import { signal } from "@preact/signals";

/** Milliseconds since 1970, as the browser has it. */
export function nowMs(): number {
  return Date.now();
}

const TICK_MS = 15_000;

/** The time, as often as what is said of it ("3 min ago") may change. */
export const minuteClock = signal(nowMs());

setInterval(() => {
  if (!document.hidden) minuteClock.value = nowMs();
}, TICK_MS);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) minuteClock.value = nowMs();
});
