import { useState } from "preact/hooks";
import { apiUrl, ask } from "../../api/client.ts";
import type { CohortStatus, JobState, Study } from "../../api/documents.ts";
import { useRefresh, useStudyChanges } from "../../api/live.ts";
import { mayDo } from "../../api/session-state.ts";
import { useData, useThrottled } from "../../api/use-data.ts";
import { Badge, isState, JOB_STATES } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { PagedTable, usePages } from "../../components/data-table.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { ErrorCard } from "../../components/error-card.tsx";
import { countText, numberText } from "../../components/numbers.ts";
import { Card, Page } from "../../components/page.tsx";
import { StateBar } from "../../components/progress.tsx";
import { say } from "../../components/toasts.tsx";
import type { PageProps } from "../../routes.ts";
import { Link, query, setQuery } from "../../routing/router.tsx";
import { CohortCheckCard } from "./cohort-check.tsx";
import { STUDY_COLUMNS } from "./study-columns.tsx";

const LOOK_EVERY_MS = 1_000;

export function CohortPage({ parameters: { cohort = "" } }: PageProps) {
  const chosen = query.value.get("state");
  const state = isState(chosen) ? chosen : undefined;
  const status = useData<CohortStatus>(`/cohorts/${cohort}`);
  const studies = usePages<Study>(`/studies?cohort=${cohort}${state === undefined ? "" : `&state=${state}`}`);
  const reload = useThrottled(status.reload, LOOK_EVERY_MS);
  const reloadRows = useThrottled(studies.reload, LOOK_EVERY_MS);
  useStudyChanges((study) => {
    if (!study.cohorts.includes(cohort)) return;
    reload();
    const isShown = studies.items.some(({ id }) => id === study.id);
    if (isShown) studies.replace(({ id }) => id === study.id, study);
    // It came to the state that is shown, or the list is still growing.
    else if (study.state === state || studies.loadMore === undefined) reloadRows();
  });
  const reloadAll = (): void => {
    reload();
    reloadRows();
  };
  useRefresh(reloadAll);
  const { data, problem } = status;
  return (
    <Page
      title={cohort}
      above={<Link to="/cohorts">Cohorts</Link>}
      actions={data !== undefined && <CohortActions status={data} onDone={reloadAll} />}
    >
      {problem !== undefined && data === undefined && <ErrorCard problem={problem} onRetry={status.reload} />}
      {data !== undefined && (
        <>
          <Progress status={data} />
          {data.done && <CohortCheckCard cohort={cohort} />}
          <StateFilter states={data.states} total={data.total} chosen={state} />
          <PagedTable
            caption="Studies of the cohort"
            columns={STUDY_COLUMNS}
            pages={studies}
            keyOf={({ id }) => id}
            empty={state === undefined ? "No row of it led to a study." : `None is ${state}.`}
          />
        </>
      )}
    </Page>
  );
}

const UNDER_WAY: readonly JobState[] = ["queued", "waiting", "running"];

function Progress({ status: { states, total, done, project } }: { readonly status: CohortStatus }) {
  const left = UNDER_WAY.reduce((sum, state) => sum + (states[state] ?? 0), 0);
  return (
    <Card
      title={`${numberText(total - left)} of ${countText(total, "study", "studies")} done`}
      aside={<Badge tone={done ? "good" : "busy"}>{done ? "done" : "under way"}</Badge>}
    >
      <StateBar states={states} label="Studies by state" />
      <p class="quiet">
        Project <strong>{project}</strong>
        {left > 0 && `, ${numberText(left)} to go`}
      </p>
    </Card>
  );
}

interface StateFilterProps {
  readonly states: CohortStatus["states"];
  readonly total: number;
  readonly chosen: JobState | undefined;
}

function StateFilter({ states, total, chosen }: StateFilterProps) {
  const present = JOB_STATES.filter((state) => (states[state] ?? 0) > 0 || state === chosen);
  const entry = (name: string, count: number, state: JobState | undefined) => (
    <button key={name} type="button" class="filter" aria-pressed={chosen === state} onClick={() => setQuery({ state })}>
      {name} <span class="filter-count">{numberText(count)}</span>
    </button>
  );
  return (
    <fieldset class="filters">
      <legend class="unseen">Show studies by state</legend>
      {entry("all", total, undefined)}
      {present.map((state) => entry(state, states[state] ?? 0, state))}
    </fieldset>
  );
}

interface CohortActionsProps {
  readonly status: CohortStatus;
  readonly onDone: () => void;
}

const RETRYABLE: readonly JobState[] = ["failed", "not-found", "held", "quarantined", "cancelled"];

function CohortActions({ status: { cohort, states, done }, onDone }: CohortActionsProps) {
  const [isCancelling, setCancelling] = useState(false);
  const retryable = RETRYABLE.reduce((sum, state) => sum + (states[state] ?? 0), 0);
  if (!mayDo("operator")) return null;
  const retry = async (): Promise<void> => {
    const { retried } = await ask<{ readonly retried: number }>(`/cohorts/${cohort}/retry`, { method: "POST" });
    say(`${countText(retried, "study is", "studies are")} tried again.`);
    onDone();
  };
  const cancel = async (): Promise<void> => {
    const { cancelled } = await ask<{ readonly cancelled: number }>(`/cohorts/${cohort}/cancel`, { method: "POST" });
    say(`${countText(cancelled, "study was", "studies were")} cancelled.`);
    onDone();
  };
  return (
    <>
      <a class="button" href={apiUrl(`/cohorts/${cohort}/export`)} download={`${cohort}.csv`}>
        Export as CSV
      </a>
      {retryable > 0 && <Button onClick={retry}>Retry {numberText(retryable)}</Button>}
      {!done && (
        <Button kind="danger" onClick={() => setCancelling(true)}>
          Cancel…
        </Button>
      )}
      <ConfirmDialog
        title="Cancel this cohort?"
        isOpen={isCancelling}
        onClose={() => setCancelling(false)}
        action="Cancel the cohort"
        kind="danger"
        onConfirm={cancel}
      >
        <p>
          Its studies that are not done are left, except those that another cohort wants too. A retry takes them up
          again.
        </p>
      </ConfirmDialog>
    </>
  );
}
