import { useState } from "preact/hooks";
import type { ApiDocument, Page } from "../../api/documents.ts";
import { useData } from "../../api/use-data.ts";
import { Button } from "../../components/button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { ErrorCard } from "../../components/error-card.tsx";
import { numberText } from "../../components/numbers.ts";
import { ALL_ROWS, type Choice, choose, isChosen, NO_ROWS } from "./choice.ts";

type Found = ApiDocument<"FoundStudyPage">["items"][number];

const PAGE_ROWS = 50;

interface FoundTableProps {
  readonly inquiry: string;
  readonly total: number;
  readonly choice: Choice;
  readonly onChoose: (choice: Choice) => void;
}

/** What was found, page by page, with a box for each row; one page is held at a time, however many there are. */
export function FoundTable({ inquiry, total, choice, onChoose }: FoundTableProps) {
  const [before, setBefore] = useState(0);
  const cursor = before === 0 ? "" : `&cursor=${before}`;
  const { data, problem, reload } = useData<Page<Found>>(`/inquiries/${inquiry}/studies?limit=${PAGE_ROWS}${cursor}`);
  if (problem !== undefined) return <ErrorCard problem={problem} onRetry={reload} />;
  const rows = (data?.items ?? []).map(({ number }) => number);
  return (
    <section class="findings" aria-label="What was found">
      <div class="actions">
        <Button onClick={() => onChoose(ALL_ROWS)}>Choose all</Button>
        <Button onClick={() => onChoose(NO_ROWS)}>Choose none</Button>
        <Button onClick={() => onChoose(choose(choice, rows, true))}>Add this page</Button>
        <Button onClick={() => onChoose(choose(choice, rows, false))}>Take this page out</Button>
      </div>
      <DataTable
        caption="Studies that were found"
        columns={columnsOf(choice, onChoose)}
        items={data?.items ?? []}
        keyOf={({ number }) => `${number}`}
        empty="Loading…"
      />
      <div class="pager">
        <span>
          Rows {numberText(before + 1)} to {numberText(Math.min(before + PAGE_ROWS, total))} of {numberText(total)}
        </span>
        {total > PAGE_ROWS && (
          <span class="actions">
            <Button isDisabled={before === 0} onClick={() => setBefore(before - PAGE_ROWS)}>
              Back
            </Button>
            <Button isDisabled={before + PAGE_ROWS >= total} onClick={() => setBefore(before + PAGE_ROWS)}>
              Next
            </Button>
          </span>
        )}
      </div>
    </section>
  );
}

function columnsOf(choice: Choice, onChoose: (choice: Choice) => void): readonly Column<Found>[] {
  return [
    {
      title: "Take",
      cell: ({ number }) => (
        <input
          type="checkbox"
          aria-label={`Row ${number}`}
          checked={isChosen(choice, number)}
          onChange={({ currentTarget: { checked } }) => onChoose(choose(choice, [number], checked))}
        />
      ),
    },
    { title: "Patient ID", cell: ({ patientId }) => patientId },
    { title: "Date", cell: ({ studyDate }) => studyDate || "–" },
    { title: "Modality", cell: ({ modalities }) => modalities.replaceAll("\\", ", ") },
    { title: "Description", cell: ({ description }) => description },
    { title: "Accession number", cell: ({ accessionNumber }) => accessionNumber, isMinor: true },
    { title: "Instances", cell: ({ instances }) => (instances === null ? "?" : numberText(instances)), isNumber: true },
  ];
}
