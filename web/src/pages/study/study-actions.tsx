import { useState } from "preact/hooks";
import { ask } from "../../api/client.ts";
import type { Study } from "../../api/documents.ts";
import { mayDo } from "../../api/session-state.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { say } from "../../components/toasts.tsx";
import { Link } from "../../routing/router.tsx";
import { canCancel, canRetry } from "./words.ts";

interface StudyActionsProps {
  readonly study: Study;
  readonly onDone: () => void;
}

/** What can be done about a study in its present state, by whoever looks at it. */
export function StudyActions({ study, onDone }: StudyActionsProps) {
  const [isAsked, setAsked] = useState(false);
  const path = `/studies/${encodeURIComponent(study.id)}`;
  const retry = async (): Promise<void> => {
    const { retried } = await ask<{ readonly retried: number }>(`${path}/retry`, { method: "POST" });
    say(retried === 0 ? "There was nothing to try again." : "The study is queued again.");
    onDone();
  };
  const cancel = async (): Promise<void> => {
    const { cancelled } = await ask<{ readonly cancelled: number }>(`${path}/cancel`, { method: "POST" });
    say(cancelled === 0 ? "The study was done already." : "The study is cancelled.");
    onDone();
  };
  return (
    <>
      {mayDo("operator") && canRetry(study) && <Button onClick={retry}>Try again</Button>}
      {mayDo("operator") && canCancel(study) && (
        <Button kind="danger" onClick={() => setAsked(true)}>
          Cancel
        </Button>
      )}
      {study.state === "quarantined" && (
        <Link class="button button-primary" to={`/quarantine/${encodeURIComponent(study.id)}`}>
          Look at the quarantine
        </Link>
      )}
      <ConfirmDialog
        title="Cancel this study?"
        isOpen={isAsked}
        onClose={() => setAsked(false)}
        action="Cancel the study"
        kind="danger"
        onConfirm={cancel}
      >
        <p>All cohorts that hold it see it as cancelled. It can be tried again later.</p>
      </ConfirmDialog>
    </>
  );
}
