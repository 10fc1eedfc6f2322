import { errorRegistry } from "../src/errors/registry.ts";
import { tableCell } from "./table-cell.ts";

/** `docs/errors.md`: every code of the registry with what to do about it. */
export function errorsPage(): string {
  const rows = Object.entries(errorRegistry)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([code, entry]) => `| \`${code}\` | ${entry.class} | ${tableCell(entry.summary)} | ${tableCell(entry.remedy)} |`,
    );
  return [
    "# Errors",
    "",
    "Every error has one of these codes: in `--json` documents, in a job's state, in the export and in the log. Codes do not change; texts may.",
    "",
    "- transient: nothing happened at the other side; it is tried again by itself.",
    "- ambiguous: it may have happened; what the other side holds is asked first, then it is tried again.",
    "- permanent: trying again cannot help before someone has acted.",
    "",
    "| code | class | what it means | what to do |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
