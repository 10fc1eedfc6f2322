import { useState } from "preact/hooks";
import { ask } from "../../api/client.ts";
import type { ApiDocument, Project } from "../../api/documents.ts";
import { useRefresh } from "../../api/live.ts";
import { mayDo, session } from "../../api/session-state.ts";
import { useData } from "../../api/use-data.ts";
import { Badge, type Tone } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { type Column, PagedTable, usePages } from "../../components/data-table.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { countText, numberText } from "../../components/numbers.ts";
import { Page } from "../../components/page.tsx";
import { Time } from "../../components/time.tsx";
import { say } from "../../components/toasts.tsx";
import { useEvery } from "../../components/use-every.ts";
import { query, setQuery } from "../../routing/router.tsx";

type Sent = ApiDocument<"IntakePage">["items"][number];
type State = Sent["state"];

const LOOK_EVERY_MS = 4_000;
const PAGE_SIZE = 50;
const STATES: readonly { readonly state: State; readonly title: string; readonly tone: Tone }[] = [
  { state: "held", title: "Held", tone: "warn" },
  { state: "open", title: "Still coming", tone: "busy" },
  { state: "queued", title: "Given to a project", tone: "good" },
];

/** Studies that were sent to the gateway unasked. */
export function IntakePage() {
  const isLimited = typeof session.value === "object" && session.value.projects !== null;
  return (
    <Page title="Sent to us">
      {isLimited ? (
        <p class="notice">Whose a held study is, is not known yet: to look at them takes a token for all projects.</p>
      ) : (
        <SentStudies />
      )}
    </Page>
  );
}

function SentStudies() {
  const wanted = query.value.get("state");
  const shown = STATES.find(({ state }) => state === wanted)?.state ?? "held";
  const pages = usePages<Sent>(`/intake?state=${shown}`, PAGE_SIZE);
  const [assigning, setAssigning] = useState<Sent>();
  const [discarding, setDiscarding] = useState<Sent>();
  useRefresh(pages.reload);
  useEvery(LOOK_EVERY_MS, () => {
    // Who has paged on is left where he is.
    if (pages.items.length <= PAGE_SIZE) pages.reload();
  });
  return (
    <>
      <fieldset class="segments">
        <legend class="unseen">State</legend>
        {STATES.map(({ state, title }) => (
          <label key={state}>
            <input type="radio" name="state" checked={shown === state} onChange={() => setQuery({ state })} />
            <span>{title}</span>
          </label>
        ))}
      </fieldset>
      <PagedTable
        caption="Studies that were sent to us, the first one first"
        columns={shown === "held" ? [...COLUMNS, decisionColumn(setAssigning, setDiscarding)] : COLUMNS}
        pages={pages}
        keyOf={({ id }) => id}
        empty={shown === "held" ? "No study waits for a decision." : "None."}
      />
      {assigning !== undefined && (
        <AssignDialog study={assigning} onClose={() => setAssigning(undefined)} onDone={pages.reload} />
      )}
      <ConfirmDialog
        title={`Discard ${discarding?.id ?? ""}?`}
        isOpen={discarding !== undefined}
        onClose={() => setDiscarding(undefined)}
        action="Discard the study"
        kind="danger"
        onConfirm={async () => {
          if (discarding === undefined) return;
          await ask(`/intake/${discarding.id}/discard`, { method: "POST" });
          say(`${discarding.id} is discarded.`);
          pages.reload();
        }}
      >
        <p>
          {countText(discarding?.instances ?? 0, "instance")} from {discarding?.sender} are removed within the hour, and
          cannot be had back. The sender was told that we have them.
        </p>
      </ConfirmDialog>
    </>
  );
}

const COLUMNS: readonly Column<Sent>[] = [
  { title: "Study", cell: ({ id }) => <code>{id}</code> },
  {
    title: "State",
    cell: ({ state }) => <Badge tone={STATES.find((each) => each.state === state)?.tone ?? "calm"}>{state}</Badge>,
  },
  { title: "Reason", cell: (study) => <Reason study={study} /> },
  { title: "Sender", cell: ({ sender }) => sender },
  { title: "Modality", cell: ({ modality }) => modality, isMinor: true },
  { title: "Instances", cell: ({ instances }) => numberText(instances), isNumber: true },
  { title: "Last one", cell: ({ lastAt }) => <Time at={lastAt} /> },
];

function Reason({ study: { code, message, project, rule } }: { readonly study: Sent }) {
  if (code !== null)
    return (
      <>
        <code>{code}</code>
        <span class="reason">{message}</span>
      </>
    );
  if (project === null) return <span class="quiet">–</span>;
  return (
    <>
      for {project}
      {rule !== null && <span class="reason">by the rule {rule}</span>}
    </>
  );
}

function decisionColumn(onAssign: (study: Sent) => void, onDiscard: (study: Sent) => void): Column<Sent> {
  return {
    title: "Decide",
    cell: (study) => (
      <div class="actions">
        <Button label={`Assign ${study.id}`} onClick={() => onAssign(study)}>
          Assign
        </Button>
        {mayDo("admin") && (
          <Button kind="danger" label={`Discard ${study.id}`} onClick={() => onDiscard(study)}>
            Discard
          </Button>
        )}
      </div>
    ),
  };
}

interface AssignDialogProps {
  readonly study: Sent;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

function AssignDialog({ study: { id, sender, instances }, onClose, onDone }: AssignDialogProps) {
  const projects = useData<{ readonly items: readonly Project[] }>("/projects");
  const names = projects.data?.items.map(({ name }) => name) ?? [];
  const [chosen, setChosen] = useState<string>();
  const project = chosen ?? names[0];
  return (
    <ConfirmDialog
      title={`Assign ${id} to a project`}
      isOpen
      onClose={onClose}
      action="Assign the study"
      onConfirm={async () => {
        if (project === undefined) return;
        await ask(`/intake/${id}/assign`, { method: "POST", body: { project } });
        say(`${id} is a study of ${project} now.`);
        onDone();
      }}
    >
      <p>
        {countText(instances, "instance")} from {sender} will be de-identified by the project's profile, and go to its
        destinations.
      </p>
      <label class="field">
        Project
        <select value={project} onChange={({ currentTarget }) => setChosen(currentTarget.value)}>
          {names.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </ConfirmDialog>
  );
}
