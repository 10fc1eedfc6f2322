import { LEASE_MS, submit } from "./contract/support.testing.ts";
import type { Store } from "./store.ts";

export interface ShareFigures {
  readonly claims: number;
  /** Which claim, counted from 1, took the last study of the small cohorts. */
  readonly lastOfSmall: number;
  /** The mean of their claims' numbers, rounded. */
  readonly meanOfSmall: number;
}

/** One large cohort, of which some studies are claimed already when small ones of other projects come: whose turn is when? */
export async function simulateShares(
  store: Store,
  of: {
    readonly large: number;
    readonly small: { readonly cohorts: number; readonly rows: number };
    readonly claimedBefore: number;
    /** After which it is looked. */
    readonly lastClaims: number;
  },
): Promise<ShareFigures> {
  const rows = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({ studyInstanceUid: `1.2.${prefix}.${index + 1}` }));
  await submit(store, rows("1", of.large), { project: "large" });
  const numbers: number[] = [];
  let claims = 0;
  const next = async (): Promise<void> => {
    const claimed = await store.claim("worker-1", LEASE_MS, 0);
    if (claimed === undefined) throw new Error("nothing was due");
    claims += 1;
    if (claimed.job.project !== "large") numbers.push(claims);
    await store.settle(claimed.lease, { state: "delivered", attempts: 0 }, 0);
  };
  while (claims < of.claimedBefore) await next();
  for (let cohort = 1; cohort <= of.small.cohorts; cohort += 1) {
    await submit(store, rows(`2.${cohort}`, of.small.rows), { project: `small-${cohort}` });
  }
  while (claims < of.lastClaims) await next();
  const sum = numbers.reduce((total, number) => total + number, 0);
  return { claims, lastOfSmall: numbers.at(-1) ?? 0, meanOfSmall: Math.round(sum / numbers.length) };
}
