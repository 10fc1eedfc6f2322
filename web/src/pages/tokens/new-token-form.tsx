import { useId, useState } from "preact/hooks";
import { ask } from "../../api/client.ts";
import type { ApiDocument, Project } from "../../api/documents.ts";
import { ROLES, type Role } from "../../api/session-state.ts";
import { type Data, useData } from "../../api/use-data.ts";
import { Button } from "../../components/button.tsx";
import { ErrorCard } from "../../components/error-card.tsx";

interface NewTokenFormProps {
  readonly onMade: (token: ApiDocument<"NewToken">) => void;
  readonly onClose: () => void;
}

const USUAL_DAYS = "90";
const MAY: Readonly<Record<Role, string>> = {
  sender: "sends studies by HTTP, and may do nothing else",
  viewer: "sees states and counts",
  operator: "also hands cohorts in, exports them, and controls archives",
  admin: "also releases studies, sees whom they are of, and gives out tokens",
};

export function NewTokenForm({ onMade, onClose }: NewTokenFormProps) {
  const projects = useData<{ readonly items: readonly Project[] }>("/projects");
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [days, setDays] = useState(USUAL_DAYS);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const ids = useId();
  return (
    <>
      <label class="field" for={`${ids}-name`}>
        Name: whose it is, or what for
        <input
          id={`${ids}-name`}
          autocomplete="off"
          value={name}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
      </label>
      <label class="field" for={`${ids}-role`}>
        Role
        <select
          id={`${ids}-role`}
          value={role}
          onChange={({ currentTarget }) => setRole(ROLES.find((each) => each === currentTarget.value) ?? "viewer")}
        >
          {ROLES.map((each) => (
            <option key={each} value={each}>
              {each}: {MAY[each]}
            </option>
          ))}
        </select>
      </label>
      <ProjectChoices projects={projects} chosen={chosen} onChange={setChosen} />
      <label class="field" for={`${ids}-days`}>
        Days until it ends
        <input
          id={`${ids}-days`}
          type="number"
          min="1"
          max="3650"
          value={days}
          onInput={({ currentTarget }) => setDays(currentTarget.value)}
        />
      </label>
      <div class="actions">
        <Button
          kind="primary"
          // None chosen means all of them: that is for who sees which they are.
          isDisabled={name.trim() === "" || projects.data === undefined}
          onClick={async () => {
            const wish = { name: name.trim(), role, days: Number(days) };
            const body = chosen.length === 0 ? wish : { ...wish, projects: chosen };
            onMade(await ask<ApiDocument<"NewToken">>("/tokens", { method: "POST", body }));
          }}
        >
          Make the token
        </Button>
        <Button onClick={onClose}>Go back</Button>
      </div>
    </>
  );
}

interface ProjectChoicesProps {
  readonly projects: Data<{ readonly items: readonly Project[] }>;
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
}

function ProjectChoices({ projects: { data, problem, reload }, chosen, onChange }: ProjectChoicesProps) {
  return (
    <fieldset class="choices">
      <legend>Projects; none chosen means all of them</legend>
      {data === undefined && problem === undefined && <p class="empty">Loading…</p>}
      {data === undefined && problem !== undefined && (
        <>
          <p>The projects could not be read.</p>
          <ErrorCard problem={problem} onRetry={reload} />
        </>
      )}
      {data?.items.map(({ name }) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={({ currentTarget }) =>
              onChange(currentTarget.checked ? [...chosen, name] : chosen.filter((each) => each !== name))
            }
          />{" "}
          {name}
        </label>
      ))}
    </fieldset>
  );
}
