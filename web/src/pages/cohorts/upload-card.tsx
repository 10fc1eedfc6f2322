import { useEffect, useRef, useState } from "preact/hooks";
import { ask } from "../../api/client.ts";
import type { CohortCheck } from "../../api/documents.ts";
import { type ApiProblem, toProblem } from "../../api/problem.ts";
import { ErrorCard } from "../../components/error-card.tsx";
import { Card } from "../../components/page.tsx";
import { FileFindings } from "./file-findings.tsx";

interface Chosen {
  readonly file: File;
  readonly project: string;
  readonly check: CohortCheck | undefined;
  readonly problem: ApiProblem | undefined;
}

/** A file is looked at as soon as it is there; nothing is submitted before its findings were seen. */
export function UploadCard({ projects }: { readonly projects: readonly string[] }) {
  const [project, setProject] = useState(projects[0] ?? "");
  const [chosen, setChosen] = useState<Chosen>();
  const latest = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => latest.current?.abort(), []);
  const look = (file: File, of: string): void => {
    latest.current?.abort();
    const controller = new AbortController();
    latest.current = controller;
    setChosen({ file, project: of, check: undefined, problem: undefined });
    ask<CohortCheck>("/cohorts/check", {
      method: "POST",
      query: { project: of },
      body: file,
      signal: controller.signal,
    }).then(
      (check) => setChosen({ file, project: of, check, problem: undefined }),
      (thrown: unknown) => {
        if (!controller.signal.aborted) setChosen({ file, project: of, check: undefined, problem: toProblem(thrown) });
      },
    );
  };
  const discard = (): void => {
    latest.current?.abort();
    setChosen(undefined);
  };
  if (projects.length === 0) return <p class="notice">No project is configured that a cohort could be for.</p>;
  return (
    <Card title="New cohort">
      <div class="upload">
        <label class="field-inline">
          <span>For the project</span>
          <select
            value={project}
            onChange={({ currentTarget: { value } }) => {
              setProject(value);
              if (chosen !== undefined) look(chosen.file, value);
            }}
          >
            {projects.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <DropZone onFile={(file) => look(file, project)} />
      </div>
      <div role="status" aria-live="polite">
        {chosen !== undefined && chosen.check === undefined && chosen.problem === undefined && (
          <p class="quiet">Looking through {chosen.file.name}…</p>
        )}
      </div>
      {chosen?.problem !== undefined && <ErrorCard problem={chosen.problem} />}
      {chosen?.check !== undefined && (
        <FileFindings file={chosen.file} project={chosen.project} check={chosen.check} onDiscard={discard} />
      )}
    </Card>
  );
}

const ACCEPTED = ".csv,.tsv,.txt,.xlsx,.parquet";

/** The button and the keyboard do what the mouse does. */
function DropZone({ onFile }: { readonly onFile: (file: File) => void }) {
  const [isOver, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const take = (files: FileList | null | undefined): void => {
    const file = files?.[0];
    if (file !== undefined) onFile(file);
  };
  return (
    <section
      aria-label="Cohort file"
      class={isOver ? "drop-zone is-over" : "drop-zone"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <p>
        Drop a cohort file here, or{" "}
        <button type="button" class="button" onClick={() => input.current?.click()}>
          Choose a file
        </button>
      </p>
      <p class="quiet">CSV, Excel or Parquet. It is looked through first; nothing is submitted yet.</p>
      <input
        ref={input}
        type="file"
        accept={ACCEPTED}
        aria-label="Cohort file"
        hidden
        onChange={({ currentTarget }) => {
          take(currentTarget.files);
          // The same file again is a change too.
          currentTarget.value = "";
        }}
      />
    </section>
  );
}
