import type { Study } from "../../api/documents.ts";
import { useRefresh, useStudyChanges } from "../../api/live.ts";
import { mayDo } from "../../api/session-state.ts";
import { useData } from "../../api/use-data.ts";
import { ErrorCard } from "../../components/error-card.tsx";
import { Card, Page } from "../../components/page.tsx";
import type { PageProps } from "../../routes.ts";
import { Link, navigate } from "../../routing/router.tsx";
import { ReasonCard } from "../study/reason-card.tsx";
import { stayedBehindText } from "../study/words.ts";
import { InstanceTable } from "./instance-table.tsx";
import { ReleaseForm } from "./release-form.tsx";

/** Why a study was kept back, instance by instance, and how it may go. */
export function QuarantinedStudyPage({ parameters: { id = "" } }: PageProps) {
  const study = useData<Study>(`/studies/${encodeURIComponent(id)}`);
  useStudyChanges((changed) => {
    if (changed.id === id) study.reload();
  });
  useRefresh(study.reload);
  const { data, problem } = study;
  const address = `/studies/${encodeURIComponent(id)}`;
  return (
    <Page title={`Quarantined study ${id}`} above={<Link to="/quarantine">Quarantine</Link>}>
      {problem !== undefined && <ErrorCard problem={problem} onRetry={study.reload} />}
      {data === undefined && problem === undefined && <p class="empty">Loading…</p>}
      {data !== undefined && data.state !== "quarantined" && (
        <p>
          The study is not in quarantine any more: it is {data.state}. <Link to={address}>Look at it</Link>
        </p>
      )}
      {data?.state === "quarantined" && (
        <>
          <ReasonCard study={data}>
            <p>
              <Link to={address}>Everything about this study</Link>
            </p>
          </ReasonCard>
          {data.stayedBehind !== undefined && data.stayedBehind.length > 0 && (
            <Card title="What is kept back">
              <ul>
                {data.stayedBehind.map((each) => (
                  <li key={`${each.code} ${each.reason}`}>{stayedBehindText(each)}</li>
                ))}
              </ul>
            </Card>
          )}
          <Card title="Instances">
            {mayDo("admin") ? (
              <ReleaseForm study={data} onDone={() => navigate(address)} />
            ) : (
              <>
                <p>An admin may release it with named exceptions.</p>
                <InstanceTable instances={data.instances ?? []} leftOut={new Set()} onToggle={undefined} />
              </>
            )}
          </Card>
        </>
      )}
    </Page>
  );
}
