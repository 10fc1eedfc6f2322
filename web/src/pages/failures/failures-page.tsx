import { useState } from "preact/hooks";
import { useRefresh, useStudyChanges } from "../../api/live.ts";
import { mayDo } from "../../api/session-state.ts";
import { useData, useThrottled } from "../../api/use-data.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { ErrorCard } from "../../components/error-card.tsx";
import { countText, numberText } from "../../components/numbers.ts";
import { Page } from "../../components/page.tsx";
import { Link } from "../../routing/router.tsx";
import type { Failure, FailureList } from "../study/documents.ts";
import { Remedy } from "../study/reason-card.tsx";
import { outlookOf } from "./outlook.ts";
import { RetryDialog } from "./retry-dialog.tsx";

const LOOK_EVERY_MS = 2_000;

/** What went wrong, by its code: each with what an operator does about it. */
export function FailuresPage() {
  const failures = useData<FailureList>("/failures");
  const [asked, setAsked] = useState<Failure>();
  const reload = useThrottled(failures.reload, LOOK_EVERY_MS);
  useStudyChanges(reload);
  useRefresh(reload);
  const { data, problem } = failures;
  return (
    <Page title="Failures">
      {problem !== undefined && <ErrorCard problem={problem} onRetry={failures.reload} />}
      {data?.items.length === 0 && <p class="empty">Nothing failed: no study waits for anybody.</p>}
      {data === undefined && problem === undefined && <p class="empty">Loading…</p>}
      <ul class="failures">
        {data?.items.map((failure) => (
          <li key={failure.code}>
            <FailureCard failure={failure} onRetry={() => setAsked(failure)} />
          </li>
        ))}
      </ul>
      {asked !== undefined && <RetryDialog failure={asked} onClose={() => setAsked(undefined)} onDone={reload} />}
    </Page>
  );
}

function FailureCard({ failure, onRetry }: { readonly failure: Failure; readonly onRetry: () => void }) {
  const { code, message, remedy, studies, waiting, states, projects } = failure;
  const { tone, word } = outlookOf(failure);
  const link = `/studies?code=${encodeURIComponent(code)}`;
  return (
    <section class="card" aria-labelledby={`failure-${code}`}>
      <header class="card-header">
        <h2 id={`failure-${code}`}>
          <code>{code}</code>
        </h2>
        <Badge tone={tone}>{word}</Badge>
      </header>
      <p class="failure-message">{message}</p>
      <p>
        <strong>What to do:</strong> <Remedy text={remedy} />
      </p>
      <p class="failure-counts">
        <Link to={link}>{countText(studies, "study", "studies")}</Link>
        {waiting > 0 && <span class="quiet">and {numberText(waiting)} that will be tried again by themselves</span>}
      </p>
      <dl class="facts">
        <dt>States</dt>
        <dd>{listText(states)}</dd>
        <dt>Projects</dt>
        <dd>{listText(projects)}</dd>
      </dl>
      {mayDo("operator") && studies > 0 && (
        <div class="actions">
          <Button onClick={onRetry} label={`Try all again that ended with ${code}`}>
            Try all again
          </Button>
        </div>
      )}
    </section>
  );
}

function listText(counts: Readonly<Record<string, number | undefined>>): string {
  return Object.entries(counts)
    .map(([name, count = 0]) => `${name} ${numberText(count)}`)
    .join(", ");
}
