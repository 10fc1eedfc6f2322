/** Text as a cell of a Markdown table: a bar or a line's end would close the cell, `<word>` would vanish as a tag. */
export function tableCell(text: string): string {
  return text
    .replaceAll("|", "\\|")
    .replaceAll("<", "&lt;")
    .replace(/\s*\n\s*/g, " ");
}
