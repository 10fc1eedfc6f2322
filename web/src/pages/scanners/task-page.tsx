import "./scanners.css";
import { useState } from "preact/hooks";
import { ask } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { ErrorCard } from "../../components/error-card.tsx";
import { bytesText } from "../../components/numbers.ts";
import { Card, Page } from "../../components/page.tsx";
import { FullTime, Time } from "../../components/time.tsx";
import { say } from "../../components/toasts.tsx";
import { useEvery } from "../../components/use-every.ts";
import type { PageProps } from "../../routes.ts";
import { Link } from "../../routing/router.tsx";
import { type Attempt, isOpen, type ShownTask, taskPath } from "./documents.ts";
import { ResultsCard } from "./results-card.tsx";
import { TaskState } from "./scanners-page.tsx";

const LOOK_EVERY_MS = 2_000;
const TO_SCANNERS = <Link to="/scanners">Scanners</Link>;

/** A task with its attempts, and what happened in each. */
export function TaskPage({ parameters: { id = "" } }: PageProps) {
  const { data: task, problem, reload } = useData<ShownTask>(taskPath(id));
  useEvery(LOOK_EVERY_MS, reload);
  if (task === undefined)
    return (
      <Page title="Task" above={TO_SCANNERS}>
        {problem === undefined ? <p class="quiet">Loading…</p> : <ErrorCard problem={problem} onRetry={reload} />}
      </Page>
    );
  const { name, progress, workflow, sequence, device, createdAt, updatedAt, attempts } = task;
  return (
    <Page title={name === "" ? task.id : name} above={TO_SCANNERS} actions={<Actions task={task} onChanged={reload} />}>
      <Card title="Task" aside={<TaskState task={task} />}>
        <progress class="task-progress" value={progress} max={100} aria-label={`${progress} % done`} />
        <dl class="facts">
          <dt>Progress</dt>
          <dd>{progress} %</dd>
          <dt>Id</dt>
          <dd>
            <code>{task.id}</code>
          </dd>
          <dt>Scanner</dt>
          <dd>
            <code>{device ?? "any"}</code>
          </dd>
          <dt>Sequence</dt>
          <dd>
            <code>{sequence ?? "none"}</code>
          </dd>
          <dt>Workflow</dt>
          <dd>
            <code>{workflow ?? "none"}</code>
          </dd>
          <dt>Made</dt>
          <dd>
            <FullTime at={createdAt} />
          </dd>
          <dt>Changed</dt>
          <dd>
            <Time at={updatedAt} />
          </dd>
        </dl>
      </Card>
      {attempts.map((attempt) => (
        <AttemptCard key={attempt.id} attempt={attempt} />
      ))}
      {attempts.length === 0 && <p class="quiet">No scanner has taken it yet.</p>}
      <ResultsCard task={task.id} />
    </Page>
  );
}

function Actions({ task, onChanged }: { readonly task: ShownTask; readonly onChanged: () => void }) {
  const [isCancelling, setCancelling] = useState(false);
  const { id, name } = task;
  const isHeld = task.attempts.some(({ upsState }) => upsState === "IN PROGRESS");
  return (
    <>
      {isOpen(task) && (
        <Button kind="danger" onClick={() => setCancelling(true)}>
          Cancel
        </Button>
      )}
      {!isHeld && task.state !== "template" && !task.waiting && (
        <Button
          onClick={async () => {
            await ask(`${taskPath(id)}/retry`, { method: "POST" });
            say(`${name} starts as soon as its scanner is there.`);
            onChanged();
          }}
        >
          {isOpen(task) ? "Start" : "Do it again"}
        </Button>
      )}
      <ConfirmDialog
        title={`Cancel ${name}?`}
        isOpen={isCancelling}
        onClose={() => setCancelling(false)}
        action="Cancel the task"
        kind="danger"
        onConfirm={async () => {
          await ask(`${taskPath(id)}/cancel`, { method: "POST" });
          onChanged();
        }}
      >
        <p>
          {isHeld
            ? "A scanner is at it, and cannot be stopped from here: stop it at its own console too."
            : "No scanner will be given it."}
        </p>
      </ConfirmDialog>
    </>
  );
}

function AttemptCard({ attempt }: { readonly attempt: Attempt }) {
  const { state, upsState, code, reason, events, files, upsInstanceUid } = attempt;
  const tone = upsState === "COMPLETED" ? "good" : upsState === "CANCELED" ? "bad" : "busy";
  return (
    <Card title={`Attempt ${attempt.attempt}`} aside={<Badge tone={tone}>{state}</Badge>}>
      {code !== null && (
        <p>
          <code>{code}</code> {reason}
        </p>
      )}
      <ol class="timeline">
        {events.map(({ at, event, detail }, index) => (
          <li key={`${at} ${index}`}>
            <FullTime at={at} /> <strong>{event}</strong>{" "}
            <span class="quiet">
              {Object.entries(detail)
                .map(([key, value]) => `${key} ${value}`)
                .join(", ")}
            </span>
          </li>
        ))}
      </ol>
      {files.map((file) => (
        <p key={file.name}>
          {file.name}, {bytesText(file.sizeBytes)}: {file.state}
          {file.code !== null && <code> {file.code}</code>}
        </p>
      ))}
      <p class="quiet">
        Workitem <code>{upsInstanceUid}</code>
      </p>
    </Card>
  );
}
