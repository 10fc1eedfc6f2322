import type { Project } from "../../api/documents.ts";
import { useData } from "../../api/use-data.ts";
import { JOB_STATES } from "../../components/badge.tsx";
import { query, setQuery } from "../../routing/router.tsx";

/** Which studies are shown; it stands in the address, so that it can be kept and passed on. */
export function StudyFilter() {
  const projects = useData<{ readonly items: readonly Project[] }>("/projects");
  const chosen = (name: string): string => query.value.get(name) ?? "";
  const code = chosen("code");
  const cohort = chosen("cohort");
  return (
    <search class="study-filter">
      <Choice name="state" label="State" value={chosen("state")} values={JOB_STATES} />
      <Choice
        name="project"
        label="Project"
        value={chosen("project")}
        values={projects.data?.items.map(({ name }) => name) ?? [chosen("project")].filter(Boolean)}
      />
      {code !== "" && <Chip name="code" text={code} />}
      {cohort !== "" && <Chip name="cohort" text={cohort} />}
    </search>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly values: readonly string[];
}

function Choice({ name, label, value, values }: ChoiceProps) {
  return (
    <label class="field">
      {label}
      <select value={value} onChange={({ currentTarget }) => setQuery({ [name]: currentTarget.value })}>
        <option value="">all</option>
        {values.map((each) => (
          <option key={each} value={each}>
            {each}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A condition that another page set. */
function Chip({ name, text }: { readonly name: string; readonly text: string }) {
  return (
    <button
      type="button"
      class="chip"
      aria-label={`Any ${name}, not ${text} alone`}
      onClick={() => setQuery({ [name]: undefined })}
    >
      <span>
        {name} <code>{text}</code>
      </span>
      <span aria-hidden="true">×</span>
    </button>
  );
}
