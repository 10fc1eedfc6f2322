import type { Study } from "../../api/documents.ts";
import { useRefresh, useStudyChanges } from "../../api/live.ts";
import { useThrottled } from "../../api/use-data.ts";
import { type Column, PagedTable, usePages } from "../../components/data-table.tsx";
import { Page } from "../../components/page.tsx";
import { query } from "../../routing/router.tsx";
import { STUDY_COLUMNS } from "../cohorts/study-columns.tsx";
import { StudyFilter } from "./study-filter.tsx";

const PAGE_SIZE = 50;
const LOOK_EVERY_MS = 3_000;

const PROJECT: Column<Study> = { title: "Project", cell: ({ project }) => project, isMinor: true };
const [link, state, ...rest] = STUDY_COLUMNS;
const COLUMNS = [link, state, PROJECT, ...rest].filter((column) => column !== undefined);

const FILTERS = ["state", "project", "code", "cohort"] as const;

export function StudiesPage() {
  const wanted = new URLSearchParams();
  for (const name of FILTERS) {
    const value = query.value.get(name);
    if (value !== null && value !== "") wanted.set(name, value);
  }
  const pages = usePages<Study>(`/studies?${wanted.toString()}`, PAGE_SIZE);
  const reload = useThrottled(pages.reload, LOOK_EVERY_MS);
  useStudyChanges((changed) => {
    if (pages.items.some(({ id }) => id === changed.id)) pages.replace(({ id }) => id === changed.id, changed);
    // A page that is not full has room for what is new.
    else if (pages.items.length < PAGE_SIZE) reload();
  });
  useRefresh(reload);
  return (
    <Page title="Studies">
      <StudyFilter />
      <PagedTable
        caption="Studies, the first one first"
        columns={COLUMNS}
        pages={pages}
        keyOf={({ id }) => id}
        empty="No study is like that."
      />
    </Page>
  );
}
