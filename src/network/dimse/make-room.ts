/** An established association, as the limit of a listener sees it. */
export interface Held {
  readonly remoteAddress: string;
  /** Of anything but C-ECHO; undefined while it is at work: who sends a few bytes now and then is not. */
  readonly workedAtMs: number | undefined;
}

/** Senders pause between their instances; who says nothing for longer may ask again. */
const IDLE_MS = 10_000;

/**
 * The association that a full listener ends for a newcomer: of the address that holds the most idle ones, the one that has been idle for longest.
 * Undefined: all are at work, or were a moment ago.
 */
export function chooseToEnd<T extends Held>(held: readonly T[], nowMs: number): T | undefined {
  const idleByAddress = new Map<string, { readonly one: T; readonly workedAtMs: number }[]>();
  for (const one of held) {
    const { workedAtMs, remoteAddress } = one;
    if (workedAtMs === undefined || nowMs - workedAtMs < IDLE_MS) continue;
    const ofAddress = idleByAddress.get(remoteAddress) ?? [];
    ofAddress.push({ one, workedAtMs });
    idleByAddress.set(remoteAddress, ofAddress);
  }
  const [most = []] = [...idleByAddress.values()].sort((a, b) => b.length - a.length);
  return most.sort((a, b) => a.workedAtMs - b.workedAtMs)[0]?.one;
}
