/** Days since 1970-01-01, both included. */
export interface DateWindow {
  readonly first: number;
  readonly last: number;
}

export interface Answered {
  /** The archive may have held some back. */
  readonly isCut: boolean;
}

const DAY_MS = 86_400_000;
/** Before the first digital archives: what is searched when an undated question must be divided. */
const EARLIEST = dayOf("19700101") ?? 0;

/** Undefined when it is no date. PS3.5 6.2: DA. */
export function dayOf(date: string): number | undefined {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})$/.exec(date) ?? [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const atMs = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const isReal = new Date(atMs).getUTCDate() === Number(day) && Number(month) >= 1 && Number(month) <= 12;
  return isReal ? atMs / DAY_MS : undefined;
}

export function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10).replaceAll("-", "");
}

/** The range to divide; tomorrow is its end where nothing says so, as archives' clocks differ. */
export function windowOf(from: string | undefined, to: string | undefined, nowMs: number): DateWindow {
  const first = from === undefined ? EARLIEST : (dayOf(from) ?? EARLIEST);
  const last = to === undefined ? Math.floor(nowMs / DAY_MS) + 1 : (dayOf(to) ?? EARLIEST);
  return { first, last };
}

/**
 * Asks for all, and where the answer may be cut for each half of the dates instead, down to single days. The answer of a window that is divided is
 * dropped before the halves are asked, so that no study comes twice; `isCut` stays for a day that cannot be divided.
 * @param options.isBounded false: the query has no dates of its own
 */
export async function* askByWindows<A extends Answered>(
  span: DateWindow,
  options: {
    readonly isBounded: boolean;
    ask(window: DateWindow | undefined): Promise<A>;
    drop(answered: A): Promise<void>;
  },
): AsyncGenerator<A> {
  const { isBounded, ask, drop } = options;
  const waiting: (DateWindow | undefined)[] = [isBounded ? span : undefined];
  while (waiting.length > 0) {
    const window = waiting.pop();
    const answered = await ask(window);
    if (!answered.isCut || (window !== undefined && window.first >= window.last)) {
      yield answered;
      continue;
    }
    await drop(answered);
    const { first, last } = window ?? span;
    const middle = Math.floor((first + last) / 2);
    if (first < last) waiting.push({ first: middle + 1, last });
    waiting.push({ first, last: Math.min(middle, last) });
  }
}

/** How many questions `askByWindows` comes to if every answer is cut: a tree with a leaf for each day. */
export function questionsAtMost({ first, last }: DateWindow): number {
  return 2 * Math.max(last - first + 1, 1) - 1;
}
