/** A row of a table of a page: the cells by the names of their columns. */
export interface PageRow {
  /** The last title above it. */
  readonly section: string;
  readonly cells: ReadonlyMap<string, string>;
}

const RULER = /^\|(?:\s*:?-+:?\s*\|)+$/;

/** Every row of every table of a Markdown page, in order. */
export function rowsOf(text: string): readonly PageRow[] {
  const rows: PageRow[] = [];
  let section = "";
  let names: readonly string[] | undefined;
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    section = /^#+ (.+)$/.exec(line)?.[1] ?? section;
    if (!line.startsWith("|")) names = undefined;
    else if (RULER.test(lines[index + 1] ?? "")) names = cellsOf(line);
    else if (names !== undefined && !RULER.test(line)) {
      const cells = cellsOf(line);
      rows.push({ section, cells: new Map(names.map((name, at) => [name, cells[at] ?? ""])) });
    }
  }
  return rows;
}

/** A bar that is escaped is part of its cell. */
function cellsOf(line: string): readonly string[] {
  return line
    .slice(1, line.lastIndexOf("|"))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

/** What stands as code in a cell. */
export function codeIn(cell: string | undefined): readonly string[] {
  return [...(cell ?? "").matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
}
