import { useState } from "preact/hooks";
import { ask } from "../../api/client.ts";
import type { ApiDocument } from "../../api/documents.ts";
import { lamps, useRefresh } from "../../api/live.ts";
import { mayDo, session } from "../../api/session-state.ts";
import { useData } from "../../api/use-data.ts";
import { Badge, type Tone } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { countText, numberText } from "../../components/numbers.ts";
import { Card } from "../../components/page.tsx";
import { Time } from "../../components/time.tsx";
import { say } from "../../components/toasts.tsx";
import { useEvery } from "../../components/use-every.ts";
import { Link } from "../../routing/router.tsx";

type Standing = ApiDocument<"StandingCohort">;
type Run = NonNullable<Standing["lastRun"]>;

const LOOK_EVERY_MS = 3_000;
const TONES: Readonly<Record<Run["state"], Tone>> = {
  running: "busy",
  done: "good",
  incomplete: "warn",
  failed: "bad",
};

/** Searches that run by a timetable: when each does next, and what the last run brought. Not shown where there is none. */
export function StandingCard({ project }: { readonly project: string }) {
  const { data, reload } = useData<{ readonly items: readonly Standing[] }>("/standing-cohorts");
  const [ending, setEnding] = useState<Standing>();
  useRefresh(reload);
  useEvery(LOOK_EVERY_MS, reload);
  const items = (data?.items ?? []).filter((each) => project === "" || each.project === project);
  if (items.length === 0) return null;
  const change = async ({ name }: Standing, verb: "pause" | "resume" | "run"): Promise<void> => {
    await ask(`/standing-cohorts/${name}/${verb}`, { method: "POST" });
    say(SAID[verb](name));
    reload();
  };
  return (
    <Card title="Standing cohorts">
      <DataTable
        caption="Standing cohorts"
        columns={mayChange() ? [...COLUMNS, actionsColumn(change, setEnding)] : COLUMNS}
        items={items}
        keyOf={({ name }) => name}
      />
      <ConfirmDialog
        title={`Remove ${ending?.name ?? ""}?`}
        isOpen={ending !== undefined}
        onClose={() => setEnding(undefined)}
        action="Remove it"
        kind="danger"
        onConfirm={async () => {
          if (ending === undefined) return;
          await ask(`/standing-cohorts/${ending.name}`, { method: "DELETE" });
          say(`${ending.name} runs no more.`);
          reload();
        }}
      >
        <p>It runs no more. The cohorts that it made stay, with what they brought.</p>
      </ConfirmDialog>
    </Card>
  );
}

const SAID = {
  pause: (name: string) => `${name} is paused.`,
  resume: (name: string) => `${name} goes on by its timetable.`,
  run: (name: string) => `${name} runs as soon as its archive may be asked.`,
} as const;

/** A run searches a whole archive: who may see some projects alone looks on. */
function mayChange(): boolean {
  return mayDo("operator") && typeof session.value === "object" && session.value.projects === null;
}

const COLUMNS: readonly Column<Standing>[] = [
  { title: "Name", cell: ({ name }) => name },
  { title: "Project", cell: ({ project }) => project, isMinor: true },
  { title: "Archive", cell: ({ archive }) => archive, isMinor: true },
  { title: "Times", cell: ({ times, timeZone }) => `${times.join(", ")} ${timeZone}`, isMinor: true },
  { title: "Next run", cell: (standing) => <Next standing={standing} /> },
  { title: "Last run", cell: ({ lastRun }) => (lastRun === null ? "none yet" : <LastRun run={lastRun} />) },
];

function Next({ standing }: { readonly standing: Standing }) {
  const { paused, nextRunAt, lastRun } = standing;
  return (
    <>
      {paused ? <Badge tone="warn">paused</Badge> : <Time at={nextRunAt} />}
      <span class="reason">{lastRun?.state === "running" || !paused ? <Waits standing={standing} /> : null}</span>
    </>
  );
}

/** Why a run that is due, or will be, does not begin at once. */
function Waits({ standing: { archive, opensAt, lastRun } }: { readonly standing: Standing }) {
  const lamp = lamps.value.get(archive);
  if (lastRun?.state === "running" && lamp?.state === "paused") return <>waits: {archive} is paused</>;
  if (lastRun?.state === "running" && lamp?.state === "resting")
    return (
      <>
        waits: {archive} rests, <code>{lamp.code}</code>
      </>
    );
  if (opensAt === null) return null;
  return (
    <>
      waits until {archive} opens, <Time at={opensAt} />
    </>
  );
}

function LastRun({ run }: { readonly run: Run }) {
  const { state, code, found, fresh, changed, known, refused, missed, startedAt, endedAt, cohort } = run;
  const counts = [
    `${numberText(found)} found`,
    `${numberText(fresh)} new`,
    `${numberText(changed)} changed`,
    `${numberText(known)} known`,
    ...(refused === 0 ? [] : [`${numberText(refused)} refused`]),
  ];
  return (
    <>
      <Badge tone={TONES[state]}>{state}</Badge> <Time at={endedAt ?? startedAt} />{" "}
      {code !== null && <code>{code}</code>}
      {(state === "done" || state === "incomplete") && <span class="reason">{counts.join(", ")}</span>}
      {missed > 0 && <span class="reason">made up for {countText(missed, "more time", "more times")} that passed</span>}
      {cohort !== null && <Link to={`/cohorts/${cohort}`}>{cohort}</Link>}
    </>
  );
}

function actionsColumn(
  change: (standing: Standing, verb: "pause" | "resume" | "run") => Promise<void>,
  onRemove: (standing: Standing) => void,
): Column<Standing> {
  return {
    title: "Change",
    cell: (standing) => (
      <div class="actions">
        <Button label={`Run now: ${standing.name}`} onClick={() => change(standing, "run")}>
          Run now
        </Button>
        {standing.paused ? (
          <Button label={`Resume ${standing.name}`} onClick={() => change(standing, "resume")}>
            Resume
          </Button>
        ) : (
          <Button label={`Pause ${standing.name}`} onClick={() => change(standing, "pause")}>
            Pause
          </Button>
        )}
        <Button kind="danger" label={`Remove ${standing.name}`} onClick={() => onRemove(standing)}>
          Remove
        </Button>
      </div>
    ),
  };
}
