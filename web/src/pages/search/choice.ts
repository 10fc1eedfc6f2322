/** Which rows of what was found are meant: all but some, or only some; rows count from 1. */
export interface Choice {
  readonly kind: "without" | "only";
  readonly rows: ReadonlySet<number>;
}

export const ALL_ROWS: Choice = { kind: "without", rows: new Set() };
export const NO_ROWS: Choice = { kind: "only", rows: new Set() };

/** More are taken by nobody's hand, and the API takes no more. */
export const MOST_ROWS = 20_000;

export function isChosen({ kind, rows }: Choice, row: number): boolean {
  return rows.has(row) === (kind === "only");
}

/** With the rows in it, or without them. */
export function choose({ kind, rows }: Choice, changed: readonly number[], isIn: boolean): Choice {
  const next = new Set(rows);
  for (const row of changed) {
    if (isIn === (kind === "only")) next.add(row);
    else next.delete(row);
  }
  return { kind, rows: next };
}

/** How many that are of so many. */
export function countChosen({ kind, rows }: Choice, total: number): number {
  return kind === "only" ? rows.size : total - rows.size;
}

/** As the API takes it. */
export function choiceBody({ kind, rows }: Choice): Readonly<Record<string, readonly number[]>> {
  return { [kind]: [...rows].sort((one, other) => one - other) };
}
