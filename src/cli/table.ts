/** Rows looked at to find the widths of columns; what follows is fitted to them. */
const WINDOW_ROWS = 200;
const GAP = "  ";

/**
 * Tables as they come: the widths are those of the first rows. Nothing is printed when there are no rows.
 * @param widest of a column: a longer cell moves the rest of its own line, and not that of all others
 */
export async function* tableLines(
  header: readonly string[],
  rows: AsyncIterable<readonly string[]>,
  widest = Number.POSITIVE_INFINITY,
): AsyncGenerator<string> {
  const window: (readonly string[])[] = [];
  let widths: readonly number[] | undefined;
  for await (const row of rows) {
    if (widths !== undefined) yield lineOf(row, widths);
    else if (window.push(row) === WINDOW_ROWS) {
      widths = widthsOf([header, ...window], widest);
      yield* linesOf([header, ...window], widths);
    }
  }
  if (widths === undefined && window.length > 0) {
    yield* linesOf([header, ...window], widthsOf([header, ...window], widest));
  }
}

/** Aligned lines of rows that are all there, without a header. */
export function alignedLines(rows: readonly (readonly string[])[]): readonly string[] {
  return linesOf(rows, widthsOf(rows));
}

function widthsOf(rows: readonly (readonly string[])[], widest = Number.POSITIVE_INFINITY): readonly number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, Math.min(cell.length, widest));
  }
  return widths;
}

function linesOf(rows: readonly (readonly string[])[], widths: readonly number[]): readonly string[] {
  return rows.map((row) => lineOf(row, widths));
}

function lineOf(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .join(GAP)
    .trimEnd();
}
