import type { Study } from "../../api/documents.ts";
import { useRefresh, useStudyChanges } from "../../api/live.ts";
import { useThrottled } from "../../api/use-data.ts";
import { type Column, PagedTable, usePages } from "../../components/data-table.tsx";
import { numberText } from "../../components/numbers.ts";
import { Page } from "../../components/page.tsx";
import { Time } from "../../components/time.tsx";
import { Link } from "../../routing/router.tsx";

const LOOK_EVERY_MS = 2_000;

const COLUMNS: readonly Column<Study>[] = [
  {
    title: "Study",
    cell: ({ id }) => (
      <Link to={`/quarantine/${encodeURIComponent(id)}`} class="unbroken">
        {id}
      </Link>
    ),
  },
  { title: "Project", isMinor: true, cell: ({ project }) => project },
  {
    title: "Why",
    cell: ({ code, message }) => (
      <>
        <code>{code}</code> <span class="quiet">{message}</span>
      </>
    ),
  },
  { title: "Instances", isNumber: true, isMinor: true, cell: ({ received }) => numberText(received) },
  { title: "Since", isMinor: true, cell: ({ finishedAt }) => <Time at={finishedAt} /> },
];

/** Studies that nothing leaves of until somebody decides. */
export function QuarantinePage() {
  const pages = usePages<Study>("/studies?state=quarantined");
  const reload = useThrottled(pages.reload, LOOK_EVERY_MS);
  useStudyChanges((changed) => {
    if (changed.state === "quarantined" || pages.items.some(({ id }) => id === changed.id)) reload();
  });
  useRefresh(reload);
  return (
    <Page title="Quarantine">
      <p>
        The de-identification of these studies could not be proven, or a person has to look at their pixels. Nothing of
        them was delivered.
      </p>
      <PagedTable
        caption="Quarantined studies, the first one first"
        columns={COLUMNS}
        pages={pages}
        keyOf={({ id }) => id}
        empty="No study is in quarantine."
      />
    </Page>
  );
}
