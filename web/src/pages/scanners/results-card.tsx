import { useState } from "preact/hooks";
import { apiUrl, ask, LONG_WORK_MS } from "../../api/client.ts";
import { Badge, type Tone } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { type Column, DataTable, PagedTable, usePages } from "../../components/data-table.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { bytesText } from "../../components/numbers.ts";
import { Card } from "../../components/page.tsx";
import { Time } from "../../components/time.tsx";
import { useEvery } from "../../components/use-every.ts";
import { Link } from "../../routing/router.tsx";
import type { Result, Verdict } from "./documents.ts";

const LOOK_EVERY_MS = 10_000;
const PAGE = 50;

/** What scanners sent, of one task or of all. */
export function ResultsCard({ task }: { readonly task?: string }) {
  const results = usePages<Result>(task === undefined ? "/scan-results" : `/scan-results?task=${task}`, PAGE);
  const [verdict, setVerdict] = useState<Verdict>();
  useEvery(LOOK_EVERY_MS, () => {
    if (results.items.length <= PAGE) results.reload();
  });
  const columns: readonly Column<Result>[] = [
    { title: "Files", cell: (result) => <Files result={result} /> },
    { title: "Type", cell: ({ type }) => type },
    ...(task === undefined ? [TASK_COLUMN] : []),
    {
      title: "SHA-256",
      isMinor: true,
      cell: ({ sha256 }) => sha256 && <code title={sha256}>{sha256.slice(0, 12)}</code>,
    },
    { title: "Came", cell: ({ createdAt }) => <Time at={createdAt} /> },
    {
      title: "Verify",
      cell: ({ id, files }) =>
        files.length > 0 && (
          <Button
            label={`Verify ${files.join(", ")}`}
            onClick={async () =>
              setVerdict(await ask<Verdict>(`/scan-results/${id}/verify`, { method: "POST", timeoutMs: LONG_WORK_MS }))
            }
          >
            Verify
          </Button>
        ),
    },
  ];
  return (
    <Card title="Results">
      <PagedTable
        caption="Results"
        columns={columns}
        pages={results}
        keyOf={({ id }) => id}
        empty="Nothing was sent yet."
      />
      <p class="quiet">
        A file comes as the scanner sent it and may say who was scanned: that you took it stands in the audit trail.
      </p>
      <Dialog title="Verified" isOpen={verdict !== undefined} onClose={() => setVerdict(undefined)}>
        {verdict !== undefined && <VerdictText verdict={verdict} onClose={() => setVerdict(undefined)} />}
      </Dialog>
    </Card>
  );
}

const TASK_COLUMN: Column<Result> = {
  title: "Task",
  isMinor: true,
  cell: ({ task }) => <Link to={`/scanners/tasks/${task}`}>{task.slice(0, 8)}</Link>,
};

function Files({ result: { id, files } }: { readonly result: Result }) {
  if (files.length === 0) return <span class="quiet">none yet</span>;
  return (
    <ul>
      {files.map((file) => (
        <li key={file}>
          <a href={apiUrl(`/scan-results/${id}/files/${encodeURIComponent(file)}`)} download={file}>
            {file}
          </a>
        </li>
      ))}
    </ul>
  );
}

type FileVerdict = Verdict["files"][number];

const TONES: Readonly<Record<FileVerdict["verdict"], Tone>> = {
  same: "good",
  unknown: "calm",
  misnamed: "warn",
  changed: "bad",
  missing: "bad",
};

const VERDICT_COLUMNS: readonly Column<FileVerdict>[] = [
  { title: "File", cell: ({ name }) => name },
  { title: "It is", cell: ({ verdict }) => <Badge tone={TONES[verdict]}>{verdict}</Badge> },
  { title: "Size", isNumber: true, cell: ({ sizeBytes }) => (sizeBytes === null ? "" : bytesText(sizeBytes)) },
];

function VerdictText({ verdict, onClose }: { readonly verdict: Verdict; readonly onClose: () => void }) {
  return (
    <>
      <p>
        {verdict.whole
          ? "Every file is as it was received."
          : "Not everything is as it was received. Put it back from a backup, or have the task done again."}
      </p>
      <DataTable caption="Files" columns={VERDICT_COLUMNS} items={verdict.files} keyOf={({ name }) => name} />
      <div class="actions">
        <Button onClick={onClose}>Close</Button>
      </div>
    </>
  );
}
