import { createHash } from "node:crypto";

/** What a cell holds; the bytes of a BLOB are told by their SHA-256 in hexadecimal. */
export type Cell = string | number | null;

/** How many rows a table has, and what is in them. */
export interface TableSum {
  readonly rows: number;
  readonly sha256: string;
}

/** Rows in the order of the primary key, and columns in the order of the source's schema, make one digest whatever database they are in. */
export interface RowDigest {
  add(row: readonly Cell[]): void;
  sum(): TableSum;
}

export function rowDigest(): RowDigest {
  const hash = createHash("sha256");
  let rows = 0;
  return {
    add(row) {
      rows += 1;
      for (const cell of row) hash.update(told(cell), "utf8");
      hash.update("\n");
    },
    sum: () => ({ rows, sha256: hash.copy().digest("hex") }),
  };
}

/** With its kind and length before it, so that no two rows are told alike. */
function told(cell: Cell): string {
  if (cell === null) return "-;";
  const text = String(cell);
  return `${typeof cell === "number" ? "n" : "t"}${text.length}:${text};`;
}
