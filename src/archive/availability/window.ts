/** Days of the week an archive's window covers and its hours; a window that ends before it begins runs over midnight. */
export interface Window {
  /** 0 is Monday. */
  readonly firstDay: number;
  readonly lastDay: number;
  readonly beginMinute: number;
  readonly endMinute: number;
}

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const DAY = DAYS.join("|");
const WINDOW = new RegExp(`^(?<first>${DAY})(?:-(?<last>${DAY}))? (?<begin>\\d\\d:\\d\\d)-(?<end>\\d\\d:\\d\\d)$`);
export const MINUTES_OF_DAY = 24 * 60;

/** Reads `Mon-Fri 20:00-08:00`; undefined when the text is something else or the window is empty. */
export function parseWindow(text: string): Window | undefined {
  const { first = "", last = first, begin = "", end = "" } = WINDOW.exec(text)?.groups ?? {};
  const beginMinute = minuteOf(begin);
  const endMinute = minuteOf(end);
  if (beginMinute === undefined || endMinute === undefined) return undefined;
  if (beginMinute === MINUTES_OF_DAY || beginMinute === endMinute) return undefined;
  return { firstDay: DAYS.indexOf(first), lastDay: DAYS.indexOf(last), beginMinute, endMinute };
}

function minuteOf(time: string): number | undefined {
  const [hours = Number.NaN, minutes = Number.NaN] = time.split(":").map(Number);
  const minute = hours * 60 + minutes;
  return minutes < 60 && minute <= MINUTES_OF_DAY ? minute : undefined;
}
