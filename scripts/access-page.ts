import { OPERATION_ROLES } from "../src/operations/roles.ts";
import { ROLES } from "../src/units/actor.ts";
import { AUDIT_EVENTS } from "../src/units/audit.ts";
import { tableCell } from "./table-cell.ts";

/** docs/access.md: roles and audit events, from their tables. */
export function accessPage(): string {
  const operations = Object.entries(OPERATION_ROLES).map(([operation, least]) => {
    const may = ROLES.map((role) => (ROLES.indexOf(role) >= ROLES.indexOf(least) ? "yes" : ""));
    return `| \`${operation}\` | ${may.join(" | ")} |`;
  });
  const events = Object.entries(AUDIT_EVENTS).map(([event, codes]) => {
    const type = "type" in codes ? `${codes.type.code} ${codes.type.meaning}` : "";
    const { id, when } = codes;
    return `| \`${event}\` | ${tableCell(when)} | ${id.code} ${id.meaning} | ${type} |`;
  });
  return `# Roles, release from quarantine, audit

## Roles

Every operation has a least role. The command line on a home acts as the operating system's user with the role \`access.commandLineRole\` of the
settings (\`admin\` unless told); whoever uses the API acts under the name and role of his token ([api.md](api.md)). A \`sender\` may store studies by STOW-RS
([intake.md](intake.md)) and nothing else; operators and admins may do that too. What the role does not allow is refused with \`ROLE_INSUFFICIENT\`, and the refusal is written to the audit trail.

| operation | ${ROLES.join(" | ")} |
|---|${ROLES.map(() => "---|").join("")}
${operations.join("\n")}

## Releasing a study

A study whose de-identification could not be proven, or whose pixels a person has to look at, is \`quarantined\`. \`radferry study show ID\` lists its
instances by number with the reason of each; nothing in it identifies the patient. Then, as an admin:

- \`radferry study release ID --reason TEXT --leave-out 2 --leave-out 5\`: without these instances;
- \`radferry study release ID --reason TEXT --leave-out-rejected\`: without all that were rejected;
- \`radferry study release ID --reason TEXT --allow-tag StudyDescription\`: an identifier that is found in this tag holds nothing back. A place within
  sequences is written as the reason shows it: \`'(0040,A730)/(0040,A160)'\`.

The study is de-identified and verified again; what is wrong with it otherwise quarantines it again. The running service does the work, or the next one
that is started. What was left out stands in the ledger, in the report beside the study and in \`study show\` as \`released-without\`; \`study retry\` runs the study again
without any exception.

## The audit trail

\`radferry audit tail\` shows the last records, \`radferry audit verify\` checks that all are as they were written: records that were changed, removed or
reordered, and an end that was cut off. It ends with exit code 1 when it finds something. It cannot see a trail that somebody wrote anew together with the row and the file (\`radferry.db.audit-head\`)
that keep its end: note the line that it prints in another place from time to time, and give it to \`audit verify --noted\`. \`radferry db backup\` takes both along. A database that was put back from an older
copy ends before its file does: that is told as a truncated trail, rightly, until the file is put back or taken away too.

| event | written when | event identification (DCM) | type (DCM) |
|---|---|---|---|
${events.join("\n")}

The codes are those of PS3.15 A.5 (PS3.16 CID 400 and 401). A record holds its number, time (UTC), event, actor (name, kind, role), outcome, the study's id and
project, counts, codes and tags; no identifier of a patient.
`;
}
