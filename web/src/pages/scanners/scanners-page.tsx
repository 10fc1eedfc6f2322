import "./scanners.css";
import { useState } from "preact/hooks";
import { mayDo } from "../../api/session-state.ts";
import { useData } from "../../api/use-data.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { type Column, DataTable, type Paged, PagedTable, usePages } from "../../components/data-table.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { ErrorCard } from "../../components/error-card.tsx";
import { Card, Page } from "../../components/page.tsx";
import { Time } from "../../components/time.tsx";
import { useEvery } from "../../components/use-every.ts";
import { Link, navigate, query, setQuery } from "../../routing/router.tsx";
import { isOpen, SCANNER_TONES, type Scanner, TASK_TONES, type Task, type TaskStatus } from "./documents.ts";
import { NewTaskForm } from "./new-task-form.tsx";
import { ResultsCard } from "./results-card.tsx";

const LOOK_EVERY_MS = 3_000;
const PAGE = 50;
const STATUSES = Object.keys(TASK_TONES) as readonly TaskStatus[];

/** Research scanners, what they are to do, and what they sent. */
export function ScannersPage() {
  const scanners = useData<{ readonly items: readonly Scanner[] }>("/scanners");
  const status = STATUSES.find((each) => each === query.value.get("status"));
  const tasks = usePages<Task>(`/scan-tasks?status=${status ?? ""}`.replace(/\?status=$/, ""), PAGE);
  const [isFormOpen, setFormOpen] = useState(false);
  useEvery(LOOK_EVERY_MS, () => {
    scanners.reload();
    // Whoever has gone on to further pages keeps them.
    if (tasks.items.length <= PAGE) tasks.reload();
  });
  if (scanners.problem !== undefined && scanners.data === undefined)
    return (
      <Page title="Scanners">
        <ErrorCard problem={scanners.problem} onRetry={scanners.reload} />
      </Page>
    );
  const known = scanners.data?.items ?? [];
  return (
    <Page
      title="Scanners"
      actions={
        mayDo("operator") && (
          <Button kind="primary" onClick={() => setFormOpen(true)}>
            New task
          </Button>
        )
      }
    >
      <Card title="Devices">
        <DataTable
          caption="Devices"
          columns={SCANNER_COLUMNS}
          items={known}
          keyOf={({ id }) => id}
          empty="No scanner is registered. `radferry scanner register NAME` makes the credentials of one."
        />
      </Card>
      <TasksCard status={status} tasks={tasks} scanners={known} />
      {mayDo("operator") && <ResultsCard />}
      <Dialog title="New task" isOpen={isFormOpen} onClose={() => setFormOpen(false)}>
        <NewTaskForm
          scanners={known}
          onMade={({ id }) => navigate(`/scanners/tasks/${id}`)}
          onClose={() => setFormOpen(false)}
        />
      </Dialog>
    </Page>
  );
}

interface TasksCardProps {
  readonly status: TaskStatus | undefined;
  readonly tasks: Paged<Task>;
  readonly scanners: readonly Scanner[];
}

function TasksCard({ status, tasks, scanners }: TasksCardProps) {
  return (
    <Card
      title="Tasks"
      aside={
        <label class="task-filter">
          In state{" "}
          <select value={status ?? ""} onChange={({ currentTarget }) => setQuery({ status: currentTarget.value })}>
            <option value="">any</option>
            {STATUSES.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
      }
    >
      <PagedTable
        caption="Tasks"
        columns={taskColumns(scanners)}
        pages={tasks}
        keyOf={({ id }) => id}
        empty={status === undefined ? "No task was made yet." : `No task is ${status}.`}
      />
    </Card>
  );
}

const SCANNER_COLUMNS: readonly Column<Scanner>[] = [
  { title: "Name", cell: ({ name }) => name },
  {
    title: "State",
    cell: ({ status, deaf, revokedAt }) =>
      revokedAt === null ? (
        <>
          <Badge tone={deaf ? "bad" : SCANNER_TONES[status]}>{status}</Badge>
          {deaf && " connected, and does not answer: restart its software"}
        </>
      ) : (
        <Badge tone="bad">revoked</Badge>
      ),
  },
  { title: "What it is", isMinor: true, cell: ({ description }) => description },
  { title: "Registered", isMinor: true, cell: ({ registeredAt }) => <Time at={registeredAt} /> },
];

function taskColumns(scanners: readonly Scanner[]): readonly Column<Task>[] {
  const nameOf = (device: string | null): string =>
    device === null ? "any" : (scanners.find(({ id }) => id === device)?.name ?? device);
  return [
    {
      title: "Name",
      cell: ({ id, name }) =>
        mayDo("operator") ? <Link to={`/scanners/tasks/${id}`}>{name === "" ? id : name}</Link> : name,
    },
    { title: "State", cell: (task) => <TaskState task={task} /> },
    {
      title: "Progress",
      cell: ({ progress, name }) => (
        <progress class="task-progress" value={progress} max={100} aria-label={`${progress} % of ${name}`} />
      ),
    },
    { title: "Scanner", isMinor: true, cell: ({ device }) => nameOf(device) },
    { title: "Made", isMinor: true, cell: ({ createdAt }) => <Time at={createdAt} /> },
    { title: "Changed", isMinor: true, cell: ({ updatedAt }) => <Time at={updatedAt} /> },
  ];
}

export function TaskState({ task }: { readonly task: Task }) {
  const { status, state } = task;
  const waiting = task.waiting && state !== "IN PROGRESS";
  if (state === "template") return <Badge tone="calm">template</Badge>;
  return (
    <span>
      <Badge tone={TASK_TONES[status]} title={state}>
        {status}
      </Badge>
      {waiting && <span class="quiet"> {isOpen(task) ? "waits for its scanner" : "is to be done again"}</span>}
    </span>
  );
}
