import { settingsTable } from "../src/config/settings-table.ts";
import { tableCell } from "./table-cell.ts";

/** `docs/settings.md`: every setting of the configuration file. */
export function settingsPage(): string {
  const rows = settingsTable().map(
    ({ path, type, variable, default: preset, description, supported }) =>
      `| \`${path}\`<br>\`${variable}\` | ${tableCell(type)} | ${tableCell(preset)} | ${tableCell(description)} | ${supported ? "yes" : "later"} |`,
  );
  return [
    "# Settings",
    "",
    "Settings come from a YAML file, then from the environment, then from flags; the later one wins. `radferry config sample` writes a file to",
    "begin with, `radferry config check` reports every problem at once, `radferry config schema` prints the JSON Schema for editors.",
    "",
    "A variable of the environment is `RADFERRY` and the path of the setting with two underscores before each part: items of a list by their",
    "number from 0, names without regard to case and single underscores. The table has it below each path, of lists that of the first item:",
    "`RADFERRY__ARCHIVES__1__ADDRESS` is the second archive's address. `RADFERRY_CONFIG` names the file. What the faces of other systems read",
    "of the environment is in [flip.md](flip.md), [pixl.md](pixl.md) and [scanhub.md](scanhub.md).",
    "",
    "Settings marked `later` are known but not available in this version: a file that uses them is refused with their path.",
    "",
    "What is `required` inside an optional group (`dicom.tls`, `tls` and `user` of archives and destinations, items of a list) is so where the",
    "group is there. DICOM over TLS is a matter of those groups; `tls: true` asks for it without naming files.",
    "",
    "| path, variable | type | default | description | available |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
