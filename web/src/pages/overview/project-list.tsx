import { useMemo } from "preact/hooks";
import type { JobState, Overview, Project } from "../../api/documents.ts";
import { overview } from "../../api/live.ts";
import { useData } from "../../api/use-data.ts";
import { countText } from "../../components/numbers.ts";
import { Card } from "../../components/page.tsx";
import { StateBar } from "../../components/progress.tsx";
import { Link } from "../../routing/router.tsx";

/** Every project with its studies, also one that has none yet. */
export function ProjectList() {
  const { data } = useData<{ readonly items: readonly Project[] }>("/projects");
  const counts = overview.value?.counts;
  const states = useMemo(() => statesByProject(counts ?? []), [counts]);
  const names = data?.items.map(({ name }) => name) ?? [...states.keys()];
  return (
    <Card title="Projects">
      {names.length === 0 && <p class="empty">No project is configured.</p>}
      <ul class="rows">
        {names.map((name) => {
          const own = states.get(name) ?? {};
          const total = Object.values(own).reduce((sum, count) => sum + count, 0);
          return (
            <li key={name}>
              <p class="row-line">
                <Link to={`/cohorts?project=${name}`}>{name}</Link>
                <span class="quiet">{countText(total, "study", "studies")}</span>
              </p>
              <StateBar states={own} label={`Studies of ${name}`} />
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

type States = Partial<Record<JobState, number>>;

function statesByProject(counts: Overview["counts"]): ReadonlyMap<string, States> {
  const projects = new Map<string, States>();
  for (const { project, state, jobs } of counts) {
    const states = projects.get(project) ?? {};
    states[state] = (states[state] ?? 0) + jobs;
    projects.set(project, states);
  }
  return projects;
}
