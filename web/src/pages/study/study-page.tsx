import { apiUrl } from "../../api/client.ts";
import type { Study } from "../../api/documents.ts";
import { useRefresh, useStudyChanges } from "../../api/live.ts";
import { mayDo } from "../../api/session-state.ts";
import { type Data, useData, useThrottled } from "../../api/use-data.ts";
import { ErrorCard } from "../../components/error-card.tsx";
import { Card, Page } from "../../components/page.tsx";
import type { PageProps } from "../../routes.ts";
import { Link } from "../../routing/router.tsx";
import type { DeidReport, Ledger } from "./documents.ts";
import { ReasonCard } from "./reason-card.tsx";
import { StudyActions } from "./study-actions.tsx";
import { StudyCounts, StudyFacts } from "./study-facts.tsx";
import { StudyIdentity } from "./study-identity.tsx";
import { StudyRemoved } from "./study-removed.tsx";
import { ReceiptTable, ReleaseNote, SeriesTable, StudyTimeline } from "./study-tables.tsx";
import { withoutReportText } from "./words.ts";

/** A study of which much happens at once is looked at so often. */
const LOOK_EVERY_MS = 1_000;

/** Everything that is known of one study, without saying who it is of. */
export function StudyPage({ parameters: { id = "" } }: PageProps) {
  const path = `/studies/${encodeURIComponent(id)}`;
  const study = useData<Study>(path);
  const ledger = useData<Ledger>(`${path}/ledger`);
  // Of what was not received nothing can be de-identified.
  const report = useData<DeidReport>(study.data?.received === 0 ? undefined : `${path}/report`);
  const reload = useThrottled(() => {
    for (const each of [study, ledger, report]) each.reload();
  }, LOOK_EVERY_MS);
  // Another job may have taken its place since.
  useStudyChanges((changed) => {
    if (changed.id === id || changed.id === study.data?.id) reload();
  });
  useRefresh(reload);
  const { data, problem } = study;
  return (
    <Page
      title={`Study ${data?.id ?? id}`}
      above={<Link to="/studies">Studies</Link>}
      actions={data && <StudyActions study={data} onDone={reload} />}
    >
      {problem !== undefined && <ErrorCard problem={problem} onRetry={study.reload} />}
      {data === undefined && problem === undefined && <p class="empty">Loading…</p>}
      {data !== undefined && <StudyCards study={data} ledger={ledger.data} report={report} />}
    </Page>
  );
}

interface StudyCardsProps {
  readonly study: Study;
  readonly ledger: Ledger | undefined;
  readonly report: Data<DeidReport>;
}

function StudyCards({ study, ledger, report }: StudyCardsProps) {
  const isBroken = report.problem !== undefined && report.problem.code !== "STUDY_REPORT_NOT_KEPT";
  return (
    <>
      <ReasonCard study={study} />
      <div class="study-top">
        <Card title="How it stands">
          <StudyCounts study={study} />
          <StudyFacts study={study} />
          {study.release !== undefined && <ReleaseNote release={study.release} />}
        </Card>
        {report.data?.hasThumbnail === true && <Picture study={study} at={report.data.at} />}
      </div>
      <Card title="What was removed">
        {report.data !== undefined && <StudyRemoved report={report.data} />}
        {report.data === undefined && !isBroken && (
          <p class="empty">{withoutReportText(study.received > 0 && report.problem === undefined, study)}</p>
        )}
        {isBroken && <ErrorCard problem={report.problem} onRetry={report.reload} />}
      </Card>
      <Card title="Receipts">
        <ReceiptTable study={study} />
      </Card>
      <Card title="Account by series">
        <SeriesTable series={ledger?.items ?? []} />
      </Card>
      <Card title="What happened">
        <StudyTimeline events={study.events} />
      </Card>
      {mayDo("admin") && (
        <Card title="Identity">
          <StudyIdentity key={study.id} id={study.id} />
        </Card>
      )}
    </>
  );
}

/** The address changes with every de-identification: an earlier picture is not shown again. */
function Picture({ study, at }: { readonly study: Study; readonly at: string }) {
  return (
    <Card title="De-identified">
      <figure class="thumbnail">
        <img
          src={apiUrl(`/studies/${encodeURIComponent(study.id)}/thumbnail?at=${encodeURIComponent(at)}`)}
          alt="A slice of the de-identified study, small and grey"
          width={128}
          height={128}
        />
        <figcaption>A slice of what was verified and delivered.</figcaption>
      </figure>
    </Card>
  );
}
