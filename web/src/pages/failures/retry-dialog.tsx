import { useState } from "preact/hooks";
import { ask } from "../../api/client.ts";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { countText } from "../../components/numbers.ts";
import { say } from "../../components/toasts.tsx";
import type { Failure } from "../study/documents.ts";

interface RetryDialogProps {
  readonly failure: Failure;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

/** Asks before many studies are tried again: of all projects or of one, of all cohorts or of one. */
export function RetryDialog({ failure, onClose, onDone }: RetryDialogProps) {
  const { code, projects } = failure;
  const names = Object.keys(projects);
  const [project, setProject] = useState("");
  const [cohort, setCohort] = useState("");
  const retry = async (): Promise<void> => {
    const { retried } = await ask<{ readonly retried: number }>(`/failures/${encodeURIComponent(code)}/retry`, {
      method: "POST",
      query: { project, cohort: cohort.trim() },
    });
    say(retried === 0 ? "There was nothing to try again." : `${countText(retried, "study", "studies")} queued again.`);
    onDone();
  };
  return (
    <ConfirmDialog
      title={`Try again what ended with ${code}?`}
      isOpen
      onClose={onClose}
      action="Try again"
      onConfirm={retry}
    >
      <p>
        Each study begins anew from the search in the archives. If the reason is still there they end the same way,
        after asking the archives once more.
      </p>
      {names.length > 1 && (
        <label class="field">
          Project
          <select value={project} onChange={({ currentTarget }) => setProject(currentTarget.value)}>
            <option value="">all projects</option>
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <label class="field">
        Of this cohort alone
        <input
          type="text"
          value={cohort}
          placeholder="all cohorts"
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => setCohort(currentTarget.value)}
        />
      </label>
    </ConfirmDialog>
  );
}
