/** As many cells as columns; blank ones too many at the end are a spreadsheet's habit. Undefined when the row is out of step. */
export function fitCells(written: readonly string[], count: number): readonly string[] | undefined {
  if (written.length === count) return written;
  const surplus = written.slice(count);
  return written.length > count && surplus.every((cell) => cell.trim() === "") ? written.slice(0, count) : undefined;
}
