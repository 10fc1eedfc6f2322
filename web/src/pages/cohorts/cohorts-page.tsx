import type { Cohort, Project } from "../../api/documents.ts";
import { useRefresh, useStudyChanges } from "../../api/live.ts";
import { mayDo } from "../../api/session-state.ts";
import { useData, useThrottled } from "../../api/use-data.ts";
import { Badge } from "../../components/badge.tsx";
import { type Column, PagedTable, usePages } from "../../components/data-table.tsx";
import { numberText } from "../../components/numbers.ts";
import { Page } from "../../components/page.tsx";
import { Time } from "../../components/time.tsx";
import { Link, query, setQuery } from "../../routing/router.tsx";
import { StandingCard } from "./standing-card.tsx";
import { UploadCard } from "./upload-card.tsx";

const COLUMNS: readonly Column<Cohort>[] = [
  { title: "Cohort", cell: ({ cohort }) => <Link to={`/cohorts/${cohort}`}>{cohort}</Link> },
  { title: "Project", cell: ({ project }) => project },
  { title: "Rows", cell: ({ rows }) => numberText(rows), isNumber: true },
  { title: "Accepted", cell: ({ accepted }) => numberText(accepted), isNumber: true, isMinor: true },
  { title: "Refused", cell: ({ rows, accepted }) => numberText(rows - accepted), isNumber: true },
  { title: "Submitted", cell: ({ submittedAt }) => <Time at={submittedAt} /> },
  {
    title: "State",
    cell: ({ done }) => <Badge tone={done ? "good" : "busy"}>{done ? "done" : "under way"}</Badge>,
  },
];

const LOOK_EVERY_MS = 2_000;

export function CohortsPage() {
  const project = query.value.get("project") ?? "";
  const projects = useData<{ readonly items: readonly Project[] }>("/projects");
  const cohorts = usePages<Cohort>(`/cohorts?order=newest${project === "" ? "" : `&project=${project}`}`);
  const reload = useThrottled(cohorts.reload, LOOK_EVERY_MS);
  useStudyChanges(({ cohorts: ids }) => {
    // One that is done may be under way again, and the other way round.
    if (cohorts.items.some(({ cohort }) => ids.includes(cohort))) reload();
  });
  useRefresh(reload);
  const names = projects.data?.items.map(({ name }) => name) ?? [];
  return (
    <Page title="Cohorts" actions={<ProjectChoice names={names} chosen={project} />}>
      {mayDo("operator") && projects.data !== undefined && <UploadCard projects={names} />}
      <StandingCard project={project} />
      <PagedTable
        caption="Cohorts, the newest first"
        columns={COLUMNS}
        pages={cohorts}
        keyOf={({ cohort }) => cohort}
        empty={mayDo("operator") ? "No cohort yet. Drop a file above to begin with one." : "No cohort yet."}
      />
    </Page>
  );
}

function ProjectChoice({ names, chosen }: { readonly names: readonly string[]; readonly chosen: string }) {
  if (names.length < 2) return null;
  return (
    <label class="field-inline">
      <span>Project</span>
      <select value={chosen} onChange={({ currentTarget }) => setQuery({ project: currentTarget.value })}>
        <option value="">all</option>
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
