import { useMemo } from "preact/hooks";
import { ask } from "../../api/client.ts";
import type { CohortCheck } from "../../api/documents.ts";
import { newKey } from "../../browser/new-key.ts";
import { Button } from "../../components/button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { countText, numberText } from "../../components/numbers.ts";
import { say } from "../../components/toasts.tsx";
import { navigate } from "../../routing/router.tsx";
import { CohortPlan } from "./cohort-plan.tsx";

type Finding = CohortCheck["refused"][number];

const COLUMNS: readonly Column<Finding>[] = [
  { title: "Row", cell: ({ row }) => numberText(row), isNumber: true },
  { title: "Column", cell: ({ column }) => column },
  { title: "Code", cell: ({ code }) => <code>{code}</code> },
  // The columns beside it say where.
  {
    title: "Finding",
    cell: ({ row, column, message }) =>
      message.replace(column === "" ? `Row ${row}: ` : `Row ${row}, column ${column}: `, ""),
  },
];

/** More are in the export of the cohort. */
const SHOWN = 100;

interface FileFindingsProps {
  readonly file: File;
  readonly project: string;
  readonly check: CohortCheck;
  readonly onDiscard: () => void;
}

/** What submitting the file would come to, and the button that does it. */
export function FileFindings({ file, project, check, onDiscard }: FileFindingsProps) {
  // Submitted twice by the same key, it is one cohort.
  const key = useMemo(() => newKey(), [check]);
  const { rows, accepted, refused, refusedFindings } = check;
  const submit = async (): Promise<void> => {
    const { cohort } = await ask<{ readonly cohort: string }>("/cohorts", {
      method: "POST",
      query: { project },
      body: file,
      key,
    });
    say(`Submitted ${countText(accepted, "row")} as ${cohort}.`);
    navigate(`/cohorts/${cohort}`);
  };
  return (
    <section class="findings" aria-label="Findings">
      <p class="findings-line">
        <strong>{file.name}</strong>: {countText(rows, "row")}, <strong>{numberText(accepted)} accepted</strong>
        {refusedFindings > 0
          ? `, ${countText(refusedFindings, "finding")} in refused rows`
          : ", nothing to complain about"}
        .
      </p>
      {refused.length > 0 && (
        <DataTable
          caption="Findings"
          columns={COLUMNS}
          items={refused.slice(0, SHOWN)}
          keyOf={({ row, column, code }) => `${row} ${column} ${code}`}
        />
      )}
      {refused.length > 0 && <p class="quiet">Rows are counted below the heading: row 1 is a spreadsheet's row 2.</p>}
      {refusedFindings > SHOWN && (
        <p class="quiet">
          The first {SHOWN} are shown. Refused rows are left out; the export of the cohort names each with its code.
        </p>
      )}
      {accepted > 0 && <CohortPlan file={file} project={project} />}
      <div class="actions">
        <Button kind="primary" onClick={submit} isDisabled={accepted === 0}>
          Submit {countText(accepted, "row")} to {project}
        </Button>
        <Button onClick={onDiscard}>Discard</Button>
      </div>
    </section>
  );
}
